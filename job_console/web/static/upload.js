// A script is looked over while it is written: what is wrong stands beside its line, and what handing it in would do
// is said before it is done.

import { failed } from "./notices.js";
import { ask } from "./request.js";

const PAUSE_MS = 500;
const MOST_BYTES = 8 << 20;
const MOST_SHOWN = 200;
const form = document.getElementById("upload");
const text = document.getElementById("text");
const gutter = document.getElementById("gutter");
const beside = document.getElementById("beside");
const found = document.getElementById("found");
const told = document.getElementById("told");
const button = document.getElementById("hand-in");
const prose = document.getElementById("prose");
const left = new Map(JSON.parse(form.dataset.apart ?? "[]").map((id) => [id, true])); // by request id: stays as it was spoken
const busy = document.getElementById("busy");
let timer = 0;
let shown = ""; // what was said that handing it in would do
let asked = 0; // which look is the last: the answers of earlier ones are of another text

const many = (count, one, more = `${one}s`) => `${count} ${count === 1 ? one : more}`;

function make(name, words, className = "") {
  const made = document.createElement(name);
  made.textContent = words;
  made.className = className;
  return made;
}

function seconds(value) {
  return value < 60 ? `${value.toFixed(1)} s` : `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
}

function query() {
  const given = new URLSearchParams({ name: form.elements.name.value.trim() || "script.yaml" });
  const [kind, ...name] = form.elements.who.value.split(":");
  if (kind) given.set(kind, name.join(":"));
  return given;
}

// Lines: numbers beside the text, and what is said of a line at its height.

function number() {
  const lines = text.value.split("\n").length;
  if (gutter.dataset.lines === String(lines)) return;
  gutter.dataset.lines = lines;
  gutter.textContent = Array.from({ length: lines }, (_, at) => at + 1).join("\n");
}

function lay() {
  const height = parseFloat(getComputedStyle(text).lineHeight);
  let free = 0;
  for (const item of found.children) {
    const top = Math.max(free, (Number(item.dataset.line || 1) - 1) * height);
    item.style.setProperty("--top", `${top}px`);
    free = top + item.offsetHeight + 4;
  }
  found.style.setProperty("--height", `${Math.max(free, text.scrollHeight)}px`);
  follow();
}

function follow() {
  gutter.scrollTop = text.scrollTop;
  beside.scrollTop = text.scrollTop;
}

function go(line) {
  const lines = text.value.split("\n");
  const begin = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  text.focus();
  text.setSelectionRange(begin, begin + (lines[line - 1]?.length ?? 0));
  text.scrollTop = Math.max(0, (line - 4) * parseFloat(getComputedStyle(text).lineHeight));
  follow();
}

function toLine(line) {
  const made = make("button", `Line ${line}`, "line");
  made.type = "button";
  made.addEventListener("click", () => go(line));
  return made;
}

function say(kind, { line, job, field, message, suggestion }) {
  const item = make("li", "", kind);
  if (line !== null) {
    item.dataset.line = line;
    item.append(toLine(line), " ");
  }
  const about = [job && `job ${job}`, field].filter(Boolean).join(", ");
  if (about) item.append(make("strong", about), ": ");
  item.append(make("span", message + (suggestion ? `; ${suggestion}` : "")));
  found.append(item);
}

// Looking it over.

function later() {
  number();
  clearTimeout(timer);
  button.disabled = true;
  asked += 1;
  timer = setTimeout(look, PAUSE_MS);
}

async function look() {
  const mine = asked;
  if (!text.value.trim()) {
    clear("Nothing is handed in yet.");
    return;
  }
  busy.hidden = false;
  try {
    const answer = await plan();
    if (mine === asked) show(answer);
  } catch (error) {
    if (mine === asked) clear(error instanceof TypeError ? "The console does not answer; write on, and it is tried again." : error.message, true);
  } finally {
    if (mine === asked) busy.hidden = true;
  }
}

function clear(sentence, bad = false) {
  found.replaceChildren();
  told.textContent = sentence;
  told.classList.toggle("problem", bad);
  for (const id of ["stale", "preview", "prose"]) document.getElementById(id).hidden = true;
  button.disabled = true;
  button.textContent = "Hand in";
  busy.hidden = true;
}

/** Which content of each job it meets and what it does to it; how far each is by now does not matter. */
const does = ({ would }) => JSON.stringify(would?.jobs.map(({ request_id: id, outcome, revision }) => [id, outcome, revision]));

const plan = () => ask("POST", `/api/v1/scripts/plan?${query()}`, text.value, { type: "application/yaml" });

function show(answer) {
  const { plan, would, stale, to_speak: speak, prose: isProse } = answer;
  clear("");
  shown = does(answer);
  plan.problems.forEach((each) => say("bad", each));
  plan.warnings.forEach((each) => say("warn", each));
  lay();
  prose.hidden = !isProse;
  if (isProse) {
    told.textContent = "This is plain text, and no file of jobs yet.";
    return;
  }
  if (would === null) {
    const count = plan.problems.length;
    told.textContent = `${many(count, "problem")}; nothing of this file can be handed in. ${count === 1 ? "It stands" : "They stand"} beside the lines.`;
    told.classList.add("problem");
    return;
  }
  const all = would.jobs.length;
  const kept = all - speak.jobs;
  const money = speak.cost_usd === null ? "" : `, about $${Number(speak.cost_usd).toFixed(4)}`;
  const made = speak.jobs
    ? `${speak.jobs} to be made: ${many(speak.characters, "character")}, about ${seconds(speak.audio_seconds)} of audio${money}`
    : "nothing is to be made";
  const rest = kept ? `; ${kept} known already` : "";
  const look_at = plan.warnings.length ? `. ${many(plan.warnings.length, "place")} to look at` : "";
  told.textContent = `${many(all, "line")}, ${made}${rest}${look_at}.`;
  showStale(stale, plan);
  showJobs(plan, would);
  button.disabled = false;
}

function showStale(stale, plan) {
  document.getElementById("stale").hidden = stale.length === 0;
  document.getElementById("stale-list").dataset.all = stale.length;
  if (!stale.length) return;
  const ids = new Set(stale.map((each) => each.request_id));
  const changed = plan.jobs.filter((each) => ids.has(each.request_id));
  const audio = changed.reduce((sum, each) => sum + each.estimated_audio_s * each.variants, 0);
  const known = changed.map((each) => each.estimated_cost_usd).filter((each) => each !== null);
  const money = known.length ? `, about $${known.reduce((sum, each) => sum + Number(each), 0).toFixed(4)}` : "";
  document.getElementById("stale-told").textContent =
    `${many(stale.length, "line is", "lines are")} known with other content. Speaking ${stale.length === 1 ? "it" : "them"} ` +
    `anew makes about ${seconds(audio)} of audio${money}; an episode that was made of ${stale.length === 1 ? "it" : "them"} is then out of date.`;
  const items = stale.slice(0, MOST_SHOWN).map((each) => {
    const item = make("li", "");
    if (each.line !== null) item.append(toLine(each.line), " ");
    item.append(`${each.request_id} (${each.state ?? "unknown"}): ${each.what.join(", ")}`);
    const texts = make("dl", "", "texts");
    if (each.text !== null) texts.append(make("dt", "This file says"), make("dd", each.text));
    texts.append(make("dt", "Known by now"), make("dd", each.now ?? "a text that is kept no more"));
    item.append(texts, leaving(each.request_id));
    return item;
  });
  document.getElementById("stale-list").replaceChildren(...items);
  relabel();
}

/** A tick for a line that is to stay as it was spoken, whatever the file says. */
function leaving(id) {
  const label = make("label", "");
  const tick = document.createElement("input");
  tick.type = "checkbox";
  tick.name = "leave";
  tick.value = id;
  tick.checked = left.get(id) ?? false;
  label.append(tick, ` Leave it as it was spoken`, make("span", ` (${id})`, "unseen"));
  return label;
}

const ticks = () => [...form.querySelectorAll("#stale-list input[name=leave]")];

const WORDS = { created: "new", duplicate: "as it is", replaced: "spoken anew", updated: "as it is" };

function showJobs(plan, would) {
  const rows = plan.jobs.slice(0, MOST_SHOWN).map((job, at) => {
    const row = document.createElement("tr");
    const cell = (head, words, className = "") => {
      const made = make("td", words, className);
      made.dataset.head = head;
      row.append(made);
    };
    cell("Line", job.line, "number");
    cell("Job", job.request_id);
    cell("Who", job.voice ?? job.speaker ?? job.picture?.backend ?? "");
    cell("Text", job.preview);
    cell("Audio", job.kind === "image" ? "-" : seconds(job.estimated_audio_s), "number");
    cell("What it does", WORDS[would.jobs[at].outcome] ?? would.jobs[at].outcome);
    return row;
  });
  document.getElementById("jobs").replaceChildren(...rows);
  const more = document.getElementById("jobs-more");
  more.hidden = plan.jobs.length <= MOST_SHOWN;
  more.textContent = `and ${plan.jobs.length - MOST_SHOWN} more`;
  document.getElementById("preview").hidden = false;
}

function relabel() {
  const anew = form.elements.changed.value === "replace";
  for (const tick of ticks()) tick.disabled = !anew;
  const count = Number(document.getElementById("stale-list").dataset.all ?? 0) - ticks().filter((tick) => tick.checked).length;
  button.textContent = count && anew ? `Hand in, ${many(count, "line")} spoken anew` : "Hand in";
}

// Files, and handing in.

async function take(file) {
  if (!file) return;
  if (file.size > MOST_BYTES) {
    failed(new Error(`${file.name} has ${Math.ceil(file.size / 1048576)} MiB; at most 8 MiB are taken at once.`));
    return;
  }
  text.value = await file.text();
  form.elements.name.value = file.name.slice(0, 100);
  later();
}

document.getElementById("file").addEventListener("change", (event) => {
  take(event.target.files[0]);
  event.target.value = ""; // the same file may be chosen again
});
form.addEventListener("dragover", (event) => {
  event.preventDefault();
  form.classList.add("over");
});
form.addEventListener("dragleave", () => form.classList.remove("over"));
form.addEventListener("drop", (event) => {
  event.preventDefault();
  form.classList.remove("over");
  take(event.dataTransfer.files[0]);
});
document.getElementById("sample").addEventListener("click", () => {
  if (text.value.trim() && !confirm("Put the example in the place of what stands here?")) return;
  text.value = document.getElementById("sample-text").content.textContent;
  later();
  text.focus();
});

/** Holds the text while it is made into something else, or leaves with the page: what is written then would be lost. */
async function held(act) {
  text.readOnly = true;
  try {
    await act();
  } catch (error) {
    failed(error);
    later(); // somebody else may have changed what it meets
  } finally {
    text.readOnly = false;
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  button.disabled = true;
  busy.hidden = false;
  held(handIn);
});

async function handIn() {
  const also = query();
  if (!document.getElementById("stale").hidden) {
    also.set("changed", form.elements.changed.value);
    if (form.elements.changed.value === "replace") {
      for (const tick of ticks()) if (tick.checked) also.append("leave", tick.value);
    }
  }
  if (form.dataset.edited) also.set("edited", form.dataset.edited);
  const mine = asked;
  const now = also.get("changed") === "replace" ? await plan() : null;
  if (mine !== asked) return; // it is about another file or another voice by now, and is looked over anew
  if (now && does(now) !== shown) {
    show(now);
    told.textContent = `Lines of it were changed meanwhile, by somebody else or on another page: look again. ${told.textContent}`;
    return;
  }
  const answer = await ask("POST", `/api/v1/scripts?${also}`, text.value, { type: "application/yaml" });
  location.assign(`/scripts/${answer.script.id}`);
}

text.addEventListener("input", later);
text.addEventListener("scroll", follow);
form.elements.who.addEventListener("change", later);
form.addEventListener("change", (event) => {
  if (event.target.name === "leave") left.set(event.target.value, event.target.checked);
  if (["changed", "leave"].includes(event.target.name)) relabel();
});
async function draft() {
  const who = form.elements.who;
  if (!who.value) who.value = [...who.options].find((each) => each.value)?.value ?? "";
  const answer = await ask("POST", `/api/v1/scripts/draft?${query()}`, text.value, { type: "text/plain" });
  text.value = answer.text;
  form.elements.name.value = answer.name;
  who.value = ""; // the file says it from now on
  later();
  text.focus();
}

document.getElementById("make").addEventListener("click", () => held(draft));
addEventListener("resize", lay);
if (text.value.trim()) later();
number();
