"use strict";
// One player for the page. Nothing is loaded before it is played; texts are set as texts, never as HTML.
const data = JSON.parse(document.getElementById("data").textContent);
const beats = [...document.querySelectorAll(".beat")];
const audio = new Audio();
audio.preload = "none";
const byId = (id) => document.getElementById(id);
const help = byId("help");
let current = -1; // the beat at hand, or none yet
let marked = null; // the cue that is shown as said
let loaded = ""; // the address in the player
const chosen = data.map(() => 0); // the take at hand, of each beat

const takeOf = (at) => (data[at] ? data[at].takes[chosen[at]] : undefined);
const isLoaded = (at) => at === current && takeOf(at) !== undefined && loaded === takeOf(at).src;

function clock(seconds) {
  const whole = Math.floor(seconds || 0);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

function name(button, running, what) {
  button.setAttribute("aria-label", (running ? "Pause" : "Play") + what);
}

function make(at) {
  if (current >= 0) {
    beats[current].classList.remove("current", "playing");
    beats[current].removeAttribute("aria-current");
    if (takeOf(current)) name(beats[current].querySelector(".play"), false, ` ${data[current].title}`);
  }
  current = at;
  beats[at].classList.add("current");
  beats[at].setAttribute("aria-current", "true");
  byId("now").textContent = data[at].title;
  show();
}

function load(from) {
  const take = takeOf(current);
  if (take.src !== loaded) {
    loaded = take.src;
    audio.src = take.src;
    audio.playbackRate = Number(byId("speed").value);
  }
  if (from !== undefined) audio.currentTime = from;
}

function play(at, from) {
  if (!takeOf(at)) return;
  if (at !== current) {
    audio.pause();
    make(at);
    from = from === undefined ? Number(seekOf(at).value) : from;
    if (from >= takeOf(at).seconds - 0.05) from = 0;
  }
  load(from);
  byId("said").textContent = "";
  audio.play().catch((error) => {
    if (error.name !== "AbortError") refuse();
  });
}

function refuse() {
  byId("said").textContent = `${data[current].title} cannot be played.`;
  byId("now").textContent = `${data[current].title} cannot be played`;
}

const seekOf = (at) => beats[at].querySelector(".seek");

function toggle(at) {
  if (at < 0) at = data.findIndex((beat) => beat.takes.length);
  if (at < 0) return;
  if (isLoaded(at) && !audio.paused) audio.pause();
  else play(at);
}

function step(by, wanted = () => true) {
  for (let at = current + by; at >= 0 && at < beats.length; at += by) {
    if (wanted(at)) return go(at);
  }
}

function go(at) {
  const on = !audio.paused;
  if (on && takeOf(at)) play(at, 0);
  else {
    audio.pause();
    make(at);
  }
  const target = takeOf(at) ? beats[at].querySelector(".play") : beats[at].querySelector("h2");
  if (!takeOf(at)) target.tabIndex = -1;
  target.focus({ preventScroll: true });
  beats[at].scrollIntoView({ block: "nearest" });
}

function show() {
  if (current < 0) return;
  const take = takeOf(current);
  const beat = beats[current];
  const running = isLoaded(current) && !audio.paused;
  beat.classList.toggle("playing", running);
  document.querySelector(".bar").classList.toggle("playing", running);
  name(byId("toggle"), running, "");
  const button = beat.querySelector(".play");
  if (take) name(button, running, ` ${data[current].title}`);
  if (!take) {
    byId("time").textContent = "";
    return;
  }
  const seek = seekOf(current);
  const at = isLoaded(current) ? audio.currentTime : Number(seek.value);
  seek.value = at;
  seek.setAttribute("aria-valuetext", `${at.toFixed(1)} of ${take.seconds.toFixed(1)} seconds`);
  overlay(beat).style.setProperty("--played", `${take.seconds ? (100 * at) / take.seconds : 0}%`);
  byId("time").textContent = `${clock(at)} / ${clock(take.seconds)}`;
  const cue = take.cues.find(([start, end]) => start <= at && at < end);
  mark(beat, cue && (running || at > 0) ? cue : null);
}

// What is said now is marked in the text; where it is not found there, it stands above it in a line of its own.
function mark(beat, cue) {
  if (cue === marked) return;
  marked = cue;
  const range = cue && CSS.highlights ? rangeOf(beat.querySelector(".text"), cue[2], takeOf(current).cues.indexOf(cue)) : null;
  if (CSS.highlights) {
    CSS.highlights.clear();
    if (range) CSS.highlights.set("said", new Highlight(range));
  }
  for (const each of document.querySelectorAll(".cue:not(:empty)")) each.textContent = "";
  if (cue && !range) beat.querySelector(".cue").textContent = cue[2];
}

// Where a cue stands in a text whose blanks and line ends may be others. Cues before it are passed over.
function rangeOf(text, words, number) {
  const node = text && text.firstChild;
  if (!node) return null;
  const pattern = (said) => new RegExp(said.trim().split(/\s+/).map(RegExp.escape || escaped).join("\\s+"), "gu");
  let from = 0;
  for (const [, , said] of takeOf(current).cues.slice(0, number)) {
    const before = pattern(said);
    before.lastIndex = from;
    const found = before.exec(node.data);
    if (found) from = before.lastIndex;
  }
  const wanted = pattern(words);
  wanted.lastIndex = from;
  const found = wanted.exec(node.data);
  if (!found) return null;
  const range = new Range();
  range.setStart(node, found.index);
  range.setEnd(node, wanted.lastIndex);
  return range;
}

const escaped = (text) => text.replace(/[\\^$.*+?()[\]{}|\/]/g, "\\$&");

// The part that was played is the same waveform in another colour, made when it is first needed.
function overlay(beat) {
  const wave = beat.querySelector(".wave");
  if (!wave.querySelector(".played")) {
    for (const drawn of [...wave.querySelectorAll("svg")]) {
      const copy = drawn.cloneNode(true);
      copy.classList.add("played");
      drawn.after(copy);
    }
  }
  return wave;
}

function choose(at, take) {
  const on = isLoaded(at) && !audio.paused;
  if (at === current) audio.pause();
  chosen[at] = take;
  const beat = beats[at];
  overlay(beat);
  beat.querySelectorAll(".take").forEach((each, n) => each.setAttribute("aria-pressed", String(n === take)));
  beat.querySelectorAll(".wave svg").forEach((each, n) => each.toggleAttribute("hidden", Math.floor(n / 2) !== take));
  const seek = seekOf(at);
  seek.max = takeOf(at).seconds.toFixed(2);
  seek.value = 0;
  beat.querySelector(".wave").style.setProperty("--played", "0%");
  beat.querySelector(".seconds").textContent = `${takeOf(at).seconds.toFixed(1)}s`;
  const link = beat.querySelector(".download");
  link.href = takeOf(at).src;
  link.download = takeOf(at).name;
  if (at !== current) make(at);
  if (on) play(at, 0);
  else show();
}

function all() {
  const button = byId("all");
  const on = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(on));
  if (on && audio.paused) toggle(current);
}

beats.forEach((beat, at) => {
  if (!data[at].takes.length) return;
  beat.querySelector(".play").addEventListener("click", () => toggle(at));
  seekOf(at).addEventListener("input", (event) => {
    const to = Number(event.target.value);
    if (at === current && isLoaded(at)) audio.currentTime = to;
    else if (audio.paused) make(at);
    else return play(at, to);
    show();
  });
  beat.querySelectorAll(".take").forEach((each, take) => each.addEventListener("click", () => choose(at, take)));
});
byId("previous").addEventListener("click", () => step(-1));
byId("next").addEventListener("click", () => step(1));
byId("toggle").addEventListener("click", () => toggle(current));
byId("all").addEventListener("click", all);
byId("speed").addEventListener("change", () => (audio.playbackRate = Number(byId("speed").value)));
byId("keys").addEventListener("click", () => help.showModal());
byId("close").addEventListener("click", () => help.close());

["timeupdate", "play", "pause", "seeked", "loadedmetadata"].forEach((name) => audio.addEventListener(name, show));
audio.addEventListener("error", () => current >= 0 && refuse());
audio.addEventListener("ended", () => {
  seekOf(current).value = 0;
  const following = data.findIndex((beat, at) => at > current && beat.takes.length);
  if (byId("all").getAttribute("aria-pressed") !== "true" || following < 0) return;
  play(following, 0);
  beats[following].scrollIntoView({ block: "nearest" });
});

const isWrong = (at) => beats[at].querySelector(".pill.bad") !== null;
const keys = {
  j: () => step(1),
  k: () => step(-1),
  f: () => step(1, isWrong),
  a: all,
  " ": () => toggle(current),
  "?": () => help.showModal(),
  ArrowLeft: () => skip(-5),
  ArrowRight: () => skip(5),
};

function skip(by) {
  if (current < 0 || !takeOf(current)) return;
  load();
  audio.currentTime = Math.min(Math.max(audio.currentTime + by, 0), takeOf(current).seconds);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (!(key in keys) || event.target.closest("select")) return;
  if (key === " " && event.target.closest("button")) return; // it presses that button
  event.preventDefault();
  keys[key]();
});
