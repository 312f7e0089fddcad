// Instantiates side modules bare, with imports that are ready: what no linker can do faster. `modules.js` exports `main`, a
// python.wasm, and `sides`, side modules.
import { DurableObject } from "cloudflare:workers";
import { main, sides } from "./modules.js";

const nothing = new Proxy({}, { get: () => () => 0 });
const { exports } = new WebAssembly.Instance(main, { wasi_snapshot_preview1: nothing, pymode: nothing });
const env = { ...exports, __memory_base: new WebAssembly.Global({ value: "i32" }, 1024), __table_base: new WebAssembly.Global({ value: "i32" }, 0) };

export class PythonObject extends DurableObject {
  async fetch(request) {
    const count = Number(new URL(request.url).searchParams.get("count"));
    let last;
    for (let at = 0; at < count; at++) last = new WebAssembly.Instance(sides[at], { env }).exports;
    return new Response(String(Object.keys(last ?? {}).length));
  }
}
export default {
  fetch: (request, env) => env.PYTHON.get(env.PYTHON.idFromName("main")).fetch(request),
};
