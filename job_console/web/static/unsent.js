// What was decided on a page and is not known to be taken, when that page is gone: the next page of this tab tells it.

import { notice } from "./notices.js";

const PLACE = "unsent";
const session = document.body.dataset.session ?? "";

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(PLACE)) ?? {};
  } catch {
    return {}; // nothing can be kept here
  }
}

function write(all) {
  try {
    sessionStorage.setItem(PLACE, JSON.stringify(all));
  } catch {
    // the browser keeps nothing: then nothing is told
  }
}

/**
 * Keeps what was decided until `drop`. `sent`: it was sent as the page was left, so that it counts as taken where the
 * session still lasts; `left` is what has to be told all the same.
 */
export function keep(id, { sentence, sent = false, left = "" }) {
  write({ ...read(), [id]: { sentence, sent, left, session } });
}

export function drop(id) {
  const { [id]: _, ...others } = read();
  write(others);
}

for (const { sentence, sent, left, session: then } of Object.values(read())) {
  if (!sent || then !== session) {
    notice(`${sentence} It is not known whether that was taken: look, and decide again where it was not.`, { problem: true });
  } else if (left) notice(`${sentence} ${left}`, { problem: true });
}
write({});
