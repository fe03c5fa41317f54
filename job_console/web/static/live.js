// Keeps a page as things are. Elements with an id and `data-live="job run"` are taken anew from the server when an
// event of such a kind comes (with `data-of="NAME"` only of that run or job), and every `data-every` seconds while the
// page is looked at. Each event is also passed on as `console:news` on the document, with {id, kind, told}.

import "./ages.js";
import { sessionLasts, sessionOver } from "./notices.js";

const PAUSE_MS = 1000;
const AGAIN_MS = 2000;
const RESTS_MS = 5000; // a browser has six connections to a console: pages that nobody looks at leave them to others
const state = document.getElementById("live");
let place = document.body.dataset.place;
let source = null;
let resting = 0;
let timer = 0;
let last = 0;
let busy = false;
let asked = false;
let pressed = null; // where a button or a key is down: a press ends where it began, or it is none
let left = false; // something was not taken anew because of that

function show(word, name) {
  if (!state || state.dataset.state === name) return;
  state.dataset.state = name;
  state.textContent = word;
}

function connect() {
  const after = place ? `?after=${encodeURIComponent(place)}` : "";
  const stream = new EventSource(`/api/v1/events${after}`);
  source = stream;
  stream.addEventListener("open", () => {
    show("live", "live");
    sessionLasts();
  });
  stream.addEventListener("error", () => {
    show("reconnecting", "waiting");
    if (stream.readyState !== EventSource.CLOSED) return; // the browser comes again by itself
    setTimeout(() => source === stream && connect(), AGAIN_MS);
    refresh(); // which says so where the session is over
  });
  for (const kind of ["begin", "run", "job", "gap"]) stream.addEventListener(kind, take);
}

/** Ends the stream of a page that nobody looks at, unless something there waits for what comes. */
function rest() {
  if (document.dispatchEvent(new CustomEvent("console:rests", { cancelable: true }))) {
    source?.close();
    source = null;
  } else resting = setTimeout(rest, RESTS_MS);
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(resting);
  if (document.visibilityState === "hidden") resting = setTimeout(rest, RESTS_MS);
  else if (!source) connect(); // from the place where it rested: nothing is missed
});

function take(event) {
  place = event.lastEventId || place;
  if (event.type === "begin") return;
  const told = event.type === "gap" ? {} : JSON.parse(event.data);
  document.dispatchEvent(new CustomEvent("console:news", { detail: { id: place, kind: event.type, told } }));
  const concerned = [...document.querySelectorAll("[data-live]")].some((each) => concerns(each, event.type, told));
  if (concerned) refresh();
}

function concerns(element, kind, told) {
  if (kind === "gap") return true;
  const whose = element.dataset.of;
  if (whose !== undefined && whose !== (kind === "run" ? told.run : told.request_id)) return false;
  return element.dataset.live.split(" ").includes(kind);
}

/** Takes the live parts anew: at once, and then at most once a second. */
export function refresh() {
  if (timer || busy) {
    asked = true;
    return;
  }
  timer = setTimeout(renew, Math.max(0, last + PAUSE_MS - Date.now()));
}

async function renew() {
  timer = 0;
  busy = true;
  last = Date.now();
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin" });
    if (new URL(answer.url).pathname === "/login") {
      show("logged out", "waiting"); // the page stays, with what somebody has written on it
      sessionOver();
      asked = false;
      return;
    }
    if (answer.status === 429 || answer.status >= 500) asked = true; // for now: what happened is shown all the same
    if (answer.ok) put(new DOMParser().parseFromString(await answer.text(), "text/html"));
  } catch {
    asked = true; // without a connection it is tried again
  } finally {
    busy = false;
  }
  if (asked) {
    asked = false;
    refresh();
  }
}

function put(fresh) {
  const focused = document.activeElement?.id;
  for (const old of document.querySelectorAll("[data-live][id]")) {
    const now = fresh.getElementById(old.id);
    if (!now || now.innerHTML === old.dataset.shown || now.innerHTML === old.innerHTML) continue;
    if (old.contains(document.activeElement) && document.activeElement.matches("input, textarea, select")) {
      continue; // nobody's words are taken from under his hands; when he leaves them, it is looked again
    }
    if (pressed && old.contains(pressed)) {
      left = true;
      continue;
    }
    const shown = now.innerHTML;
    old.replaceChildren(...now.childNodes);
    old.dataset.shown = shown;
  }
  if (focused && document.activeElement?.id !== focused) document.getElementById(focused)?.focus();
  document.dispatchEvent(new CustomEvent("console:renewed"));
}

function hold(event) {
  pressed = event.target;
}

/** The click comes with the end of a press: only then may something else stand there. */
function letGo() {
  setTimeout(() => {
    pressed = null;
    if (left) refresh();
    left = false;
  });
}

addEventListener("pointerdown", hold, true);
addEventListener("keydown", (event) => event.key === " " && hold(event), true);
for (const end of ["pointerup", "pointercancel", "keyup"]) addEventListener(end, letGo, true);
addEventListener("blur", letGo); // of the window: the end comes to another one
addEventListener("focusout", (event) => event.target.closest?.("[data-live]") && refresh());

const pauses = [...document.querySelectorAll("[data-every]")].map((each) => Number(each.dataset.every));
if (pauses.length) {
  setInterval(() => document.visibilityState === "visible" && refresh(), Math.min(...pauses) * 1000);
}
document.querySelector(".bar [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
connect();
