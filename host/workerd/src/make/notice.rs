//! Error messages in the answers of a Worker under development.

use serde_json::json;

use crate::bundle::{Bundle, Module};

impl Bundle {
    /// Adds an error message to every answer: in a header, and at the end of an HTML page.
    #[must_use]
    pub fn with_notice(&self, notice: &str) -> Bundle {
        let mut bundle = self.clone();
        bundle.modules[0] = Module::entry(with(&self.body, notice));
        bundle
    }

    /// Creates a Worker that answers every request with an error message.
    #[must_use]
    pub fn failure(notice: &str) -> Bundle {
        Bundle {
            modules: vec![Module::entry(alone(notice))],
            ..Bundle::default()
        }
    }
}

/// Returns an entry whose handler adds `notice` to every answer. `body` is the entry without its handler.
fn with(body: &str, notice: &str) -> String {
    let (text, html, line) = (json!(notice), json!(html(notice)), json!(header(notice)));
    format!(
        r#"{body}
// The project's newest state cannot be served: {text}
export default {{
  async fetch(...args) {{
    const answer = await glue.fetch(...args);
    const marked = new Response(answer.body, answer);
    marked.headers.set("x-pymode-error", {line});
    const kind = marked.headers.get("content-type") ?? "";
    if (!kind.startsWith("text/html")) return marked;
    const append = {{ end: (end) => end.append({html}, {{ html: true }}) }};
    return new HTMLRewriter().onDocument(append).transform(marked);
  }},
}};
"#
    )
}

/// Returns an entry that answers with `notice`.
fn alone(notice: &str) -> String {
    let (html, line) = (json!(html(notice)), json!(header(notice)));
    format!(
        r#"export default {{
  fetch: () => new Response("<!doctype html><title>pymode</title>" + {html}, {{
    status: 500,
    headers: {{ "content-type": "text/html;charset=UTF-8", "x-pymode-error": {line} }},
  }}),
}};
"#
    )
}

fn html(notice: &str) -> String {
    let safe = notice
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    format!(
        "<pre style=\"position:sticky;bottom:0;margin:0;padding:1em;overflow:auto;background:#400;color:#fff\">{safe}</pre>"
    )
}

/// Returns the first line as the value of a header.
fn header(notice: &str) -> String {
    let line = notice.lines().next().unwrap_or_default();
    line.chars()
        .map(|c| {
            if c == ' ' || c.is_ascii_graphic() {
                c
            } else {
                '?'
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notice_ends_neither_the_script_nor_the_page_nor_the_header() {
        let notice = "bad \"x\"\n</pre><script>é";
        assert_eq!(header("bad é\r\nx"), "bad ?");
        assert!(html(notice).contains("&lt;/pre&gt;&lt;script&gt;"));
        let entry = with("", notice);
        assert!(entry.contains(r#"marked.headers.set("x-pymode-error", "bad \"x\"")"#));
        assert_eq!(alone(notice).lines().count(), alone("x").lines().count());
    }
}
