// Decides at gates, one after the other. What is decided is sent when it can no longer be taken back, or when the
// page is left; it is about what was shown here and nothing else. Listening and looking decide nothing.

import { readOpen } from "./files.js";
import { refresh } from "./live.js";
import { failed, notice } from "./notices.js";
import { ask, part } from "./request.js";
import { later } from "./undo.js";

const WORDS = { gate_approved: "approved", gate_rejected: "rejected" };
const card = document.getElementById("card");
const deciding = new Map(); // by gate: what is decided here and not sent yet
const sent = new Set(); // gates that this page has decided, or heard that others did
let asked = 0;

const keyOf = ({ run, stage, number }) => `${run}/${stage}/${number}`;
const gate = () => document.getElementById("gate");
const links = () => [...document.querySelectorAll("[data-gate]")];
const isOpen = (link) => !deciding.has(keyOf(link.dataset)) && !sent.has(keyOf(link.dataset));

function mark() {
  for (const link of links()) {
    if (isOpen(link)) delete link.dataset.decided;
    else link.dataset.decided = "";
    const here = gate() && keyOf(link.dataset) === keyOf(gate().dataset);
    if (here) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

async function show(address) {
  const mine = ++asked;
  card.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine !== asked) return; // somebody went on meanwhile
    const now = fresh.getElementById("card");
    if (!now) return location.assign(address);
    card.replaceChildren(...now.childNodes);
    history.replaceState(null, "", address);
    readOpen(card);
    mark();
    document.getElementById("gate-head")?.focus({ preventScroll: true });
    scrollTo(0, 0);
  } catch (error) {
    failed(error);
  } finally {
    if (mine === asked) card.removeAttribute("aria-busy");
  }
}

/** Goes to the next gate that is not decided here, or the one before; without one, to an empty inbox. */
function go(step) {
  const all = links();
  const here = all.findIndex((link) => gate() && keyOf(link.dataset) === keyOf(gate().dataset));
  const turned = step > 0 ? [...all.slice(here + 1), ...all.slice(0, Math.max(here, 0))] : [...all.slice(0, Math.max(here, 0)).reverse(), ...all.slice(here + 1).reverse()];
  const next = turned.find(isOpen);
  if (next) show(next.getAttribute("href"));
  else notice(deciding.size ? "That was the last one." : "There is no other gate.");
}

function said(form) {
  const reasons = [...form.querySelectorAll("[name=reason]:checked")].map((each) => each.value).join(", ");
  const note = form.elements.note.value.trim();
  return reasons && note ? `${reasons}: ${note}` : reasons || note;
}

function decide(act) {
  const form = document.getElementById("decide");
  if (!form || gate().classList.contains("decided")) return;
  const { run, stage, seen, number } = gate().dataset;
  const words = said(form);
  const hint = form.querySelector(".hint");
  if (act === "reject" && !words && hint.hidden) {
    hint.hidden = false;
    form.elements.note.focus();
    return;
  }
  const body = { seen, ...(words ? { notes: words } : {}) };
  if (act === "reject") body.anew = form.elements.anew.checked;
  const key = keyOf({ run, stage, number });
  const address = `/gates?run=${part(run)}&stage=${part(stage)}`;
  let forgotten = false;
  const entry = later(`${stage} of ${run} is ${act === "approve" ? "approved" : "rejected"}.`, send, { back });
  deciding.set(key, { entry, run, stage, forget: () => ((forgotten = true), entry.undo()) });
  mark();
  gate().classList.add("decided");
  go(1);

  async function send(keepalive) {
    sent.add(key);
    await ask("POST", `/api/v1/runs/${part(run)}/gates/${part(stage)}/${act}`, body, { keepalive });
    deciding.delete(key);
    refresh();
  }
  function back() {
    deciding.delete(key);
    if (!forgotten) sent.delete(key);
    mark();
    refresh();
    if (!forgotten) show(address);
  }
}

// Somebody else was first, or what a gate is about has changed.
function heard(told) {
  if (!(told.event in WORDS) && told.event !== "gate_voided" && told.event !== "job_canceled") return;
  const concerned = ({ run, stage }) => run === told.run && (told.stage === null || stage === told.stage);
  const word = WORDS[told.event] ?? (told.event === "gate_voided" ? "changed" : "canceled");
  const who = told.data.operator ?? "somebody";
  for (const [key, mine] of deciding) {
    if (!concerned(mine) || sent.has(key)) continue;
    notice(`${mine.stage} of ${mine.run} was ${word} by ${who} first; what you decided was not sent.`, { problem: true });
    sent.add(key);
    mine.forget();
    return;
  }
  const here = gate();
  if (!here || !concerned(here.dataset) || [...sent].some((key) => key.startsWith(`${told.run}/${told.stage}/`))) return;
  if (told.event === "gate_voided" && told.data.seen) {
    notice(`What ${told.stage} of ${told.run} made has changed: look again.`);
    show(location.href);
    return;
  }
  notice(`${here.dataset.stage} of ${told.run} was ${word} by ${who}.`, { stays: 20_000 });
  here.classList.add("decided");
  sent.add(keyOf(here.dataset));
  mark();
  go(1);
}

// Files: 1-9 chooses, space plays what is chosen.
function choose(number) {
  const files = [...document.querySelectorAll("#files .file")];
  const file = files[number - 1];
  if (!file) return;
  const playing = document.querySelectorAll("#files audio, #files video");
  for (const each of playing) if (!file.contains(each)) each.pause();
  for (const each of files) each.classList.toggle("chosen", each === file);
  const text = file.querySelector("details");
  if (text) text.open = true;
  file.scrollIntoView({ block: "nearest" });
}

function play() {
  const chosen = document.querySelector("#files .chosen");
  const media = (chosen ?? document.getElementById("files"))?.querySelector("audio, video");
  if (!media) return false;
  if (media.paused) media.play().catch(failed);
  else media.pause();
  return true;
}

const KEYS = { j: () => go(1), k: () => go(-1), a: () => decide("approve"), r: () => decide("reject") };

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const busy = event.target.closest?.("input, textarea, select");
  if (busy) {
    if (event.key === "Escape") busy.blur();
    return;
  }
  const act = KEYS[event.key.toLowerCase()];
  if (act) act();
  else if (/^[1-9]$/.test(event.key)) choose(Number(event.key));
  else if (event.key !== " " || event.target.closest?.("button, a, summary, audio, video") || !play()) return;
  event.preventDefault();
});

document.addEventListener("click", (event) => {
  const act = event.target.closest?.("[data-act]")?.dataset.act;
  if (act === "next" || act === "back") go(act === "next" ? 1 : -1);
  else if (act) decide(act);
  const link = event.target.closest?.("[data-gate]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  show(link.getAttribute("href"));
});
document.addEventListener("submit", (event) => event.target.id === "decide" && event.preventDefault());
document.addEventListener("console:news", ({ detail }) => detail.kind === "run" && heard(detail.told));
document.addEventListener("console:renewed", () => {
  mark();
  const first = links().find(isOpen);
  if (!gate() && first && !deciding.size) show(first.getAttribute("href")); // it was empty, and something came
});
mark();
