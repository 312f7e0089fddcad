// Waits for no time, in JavaScript.
import { DurableObject } from "cloudflare:workers";

export class PythonObject extends DurableObject {
  async fetch(request) {
    const count = Number(new URL(request.url).searchParams.get("count"));
    for (let at = 0; at < count; at++) await new Promise((done) => setTimeout(done, 0));
    return new Response(String(count));
  }
}
export default {
  fetch: (request, env) => env.PYTHON.get(env.PYTHON.idFromName("main")).fetch(request),
};
