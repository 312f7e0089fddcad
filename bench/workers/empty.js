// The least that a Durable Object can be.
import { DurableObject } from "cloudflare:workers";

export class PythonObject extends DurableObject {
  async fetch() {
    return new Response("1\n");
  }
}
export default {
  fetch: (request, env) => env.PYTHON.get(env.PYTHON.idFromName("main")).fetch(request),
};
