// Buttons that change something: <button data-post="/api/v1/..." data-body='{}' data-ask="Really?" data-said="Done.">
// With data-undo it is sent ten seconds later, unless it is taken back. data-go leads to an address afterwards.

import { refresh } from "./live.js";
import { failed, notice } from "./notices.js";
import { ask } from "./request.js";
import { later, sendAll } from "./undo.js";

const going = new Set(); // what was pressed and is not done yet: its button may be another one by then
const what = ({ dataset: { post, body = "", method = "POST" } }) => `${method} ${post} ${body}`;

/** A part that is taken anew brings its buttons anew; what was pressed already is not pressed twice. */
function mark() {
  for (const each of document.querySelectorAll("button[data-post]")) if (going.has(what(each))) each.disabled = true;
}

async function press(button) {
  const { post, body, said, go, method = "POST" } = button.dataset;
  if (button.dataset.ask && !confirm(button.dataset.ask)) return;
  const mine = what(button);
  const act = async (keepalive = false) => {
    await ask(method, post, body === undefined ? undefined : JSON.parse(body), { keepalive });
    if (keepalive) return;
    if (go) location.assign(go);
    else if (said) notice(said);
    refresh();
  };
  going.add(mine);
  mark();
  const again = () => {
    going.delete(mine);
    for (const each of document.querySelectorAll("button[data-post]")) if (what(each) === mine) each.disabled = false;
  };
  if (button.dataset.undo !== undefined) {
    later(button.dataset.undo || said, act, { back: again });
    return;
  }
  try {
    await act();
  } catch (error) {
    failed(error);
  } finally {
    again();
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("button[data-post]");
  if (button) press(button);
});

document.addEventListener("console:renewed", mark);

document.querySelector("[data-log-out]")?.addEventListener("click", async () => {
  try {
    if (!(await sendAll())) return; // what was decided is sent while there is a session
    await ask("DELETE", "/api/v1/session");
    location.assign("/login");
  } catch (error) {
    failed(error);
  }
});
