// Asks REST, as the session of this page.

import { SESSION_OVER } from "./notices.js";

/** An answer that is no success: its sentence, its status, and its problems where a file has several. */
export class Refused extends Error {
  constructor(status, told) {
    super(told?.error?.message ?? `the console answered ${status}`);
    this.status = status;
    this.problems = told?.error?.problems ?? [];
  }
}

/**
 * Sends `body` (an object as JSON; text as `type`) and returns what was answered, null where it was nothing.
 * `keepalive` lets it arrive though the page is left. Throws Refused, or TypeError without a connection.
 */
export async function ask(method, path, body, { type, keepalive = false } = {}) {
  const headers = { Accept: "application/json" };
  let sent;
  if (body !== undefined) {
    headers["Content-Type"] = type ?? "application/json";
    sent = type === undefined ? JSON.stringify(body) : body;
  }
  const answer = await fetch(path, { method, headers, body: sent, keepalive, credentials: "same-origin" });
  const told = answer.headers.get("Content-Type")?.startsWith("application/json") ? await answer.json() : null;
  // The page stays: what somebody has written on it would be lost.
  if (answer.status === 401) throw new Refused(401, { error: { message: SESSION_OVER } });
  if (!answer.ok) throw new Refused(answer.status, told);
  return told;
}

/** A name as one part of a path. */
export const part = (name) => encodeURIComponent(name);
