// Players: takes side by side at one place, as loud as each other, with their waveforms and what is said now.
// The markup is that of player.html. Each `[data-player]` of the page is a player; `mount(element)` makes one of what
// came later, `unmount(element)` ends it. On the element are told `player:take` ({at}) and `player:note` ({take, seconds}).

import { failed, notice } from "./notices.js";
import { PlayedTake } from "./player_take.js";

const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2];
const LOADED_AHEAD = 4; // takes, so that going from one to another is heard at once
const players = new Map();
let latest = null;

/** Seconds as 1:02.5. */
export function clock(seconds) {
  const tenths = Math.floor((seconds || 0) * 10 + 1e-6);
  return `${Math.floor(tenths / 600)}:${String(Math.floor(tenths / 10) % 60).padStart(2, "0")}.${tenths % 10}`;
}

/** The player of an element inside of one, or undefined. */
export const playerOf = (element) => players.get(element?.closest?.("[data-player]"));

/** The player that keys are for: the one with the focus, else the one that was used last, else the first to be seen. */
export function playerAtHand() {
  const shown = (each) => each?.root.isConnected && each.root.getClientRects().length > 0;
  const focused = playerOf(document.activeElement);
  if (focused) return focused;
  return shown(latest) ? latest : [...players.values()].find(shown);
}

export function mount(root) {
  if (!players.has(root)) players.set(root, new Player(root));
  return players.get(root);
}

export function unmount(root) {
  players.get(root)?.end();
  players.delete(root);
}

class Player {
  constructor(root) {
    this.root = root;
    this.title = root.dataset.title;
    this.find = (name) => root.querySelector(`[data-${name}]`);
    this.at = 0;
    this.place = 0;
    this.speed = 1;
    this.frame = 0;
    this.takes = [...root.querySelectorAll("[data-take]")].map((element, at) => new PlayedTake(this, element, at));
    this.listen();
    this.show();
    this.takes.forEach((take) => take.draw());
    this.words();
  }

  get hand() {
    return this.takes[this.at];
  }

  get playing() {
    return this.hand.playing;
  }

  /** The longest take: all waveforms have its scale, so that one place is the same on each. */
  get seconds() {
    return Math.max(0, ...this.takes.map((take) => take.seconds));
  }

  get matches() {
    return this.find("match")?.checked ?? false;
  }

  listen() {
    const on = (name, event, act) => this.find(name)?.addEventListener(event, act);
    on("toggle", "click", () => this.toggle());
    on("seek", "input", (event) => this.seek(Number(event.target.value)));
    on("speed", "click", () => this.faster(1, true));
    on("note", "click", () => this.note());
    on("match", "change", () => this.level());
    on("said", "click", (event) => {
      const word = event.target.closest("[data-start]");
      if (word) this.seek(Number(word.dataset.start));
    });
    this.takes.forEach((take, at) => {
      take.element.querySelector("[data-choose]")?.addEventListener("click", () => this.choose(at));
    });
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  async play() {
    for (const other of players.values()) if (other !== this) other.pause();
    latest = this;
    if (this.place >= this.hand.seconds - 0.03 && this.hand.seconds) this.place = 0;
    this.takes.forEach((take) => take.load(this.takes.length <= LOADED_AHEAD || take === this.hand));
    this.level();
    try {
      await this.hand.play(this.place, this.speed);
    } catch (error) {
      if (error.name !== "AbortError") failed(new Error(`${this.title}, ${this.hand.label}, cannot be played.`));
    }
    this.show();
  }

  pause() {
    if (this.playing) this.place = this.hand.time;
    this.hand.pause();
    this.show();
  }

  seek(seconds) {
    latest = this;
    this.place = Math.min(Math.max(seconds, 0), this.seconds || seconds);
    if (this.place >= this.hand.seconds && this.hand.seconds) this.hand.pause();
    else this.hand.go(this.place);
    this.show();
  }

  skip(by) {
    this.seek((this.playing ? this.hand.time : this.place) + by);
  }

  /** Hears another take from the place where this one is. */
  choose(at) {
    latest = this;
    if (!this.takes[at] || at === this.at) return;
    const on = this.playing;
    if (on) this.place = this.hand.time;
    this.hand.pause();
    this.at = at;
    if (on && this.place < (this.hand.seconds || Infinity)) this.play();
    this.takes.forEach((take, n) => take.atHand(n === at));
    this.words();
    this.show();
    this.root.dispatchEvent(new CustomEvent("player:take", { bubbles: true, detail: { at } }));
  }

  /** `around`: after the fastest comes the slowest. */
  faster(by, around = false) {
    const next = SPEEDS.indexOf(this.speed) + by;
    this.speed = SPEEDS[around ? (next + SPEEDS.length) % SPEEDS.length : Math.min(Math.max(next, 0), SPEEDS.length - 1)];
    this.takes.forEach((take) => take.rate(this.speed));
    const button = this.find("speed");
    if (!button) return;
    button.textContent = `${this.speed}×`;
    button.setAttribute("aria-label", `Speed ${this.speed}, press for the next`);
  }

  match() {
    const box = this.find("match");
    if (!box) return;
    box.checked = !box.checked;
    this.level();
    notice(box.checked ? "Takes are played as loud as the quietest." : "Takes are played as they are.");
  }

  level() {
    this.takes.forEach((take) => take.level(this.matches));
  }

  note() {
    if (this.root.dataset.notable === undefined) return;
    this.pause();
    const detail = { take: this.hand, seconds: this.place };
    this.root.dispatchEvent(new CustomEvent("player:note", { bubbles: true, detail }));
  }

  /** What happened to the take at hand: it plays, stands, came to its end, cannot be read. */
  news(take) {
    if (take !== this.hand) return;
    if (take.ended) this.place = take.seconds;
    this.show();
    cancelAnimationFrame(this.frame);
    if (take.playing) this.frame = requestAnimationFrame(() => this.follow());
  }

  follow() {
    this.show();
    if (this.playing) this.frame = requestAnimationFrame(() => this.follow());
  }

  show() {
    const on = this.playing;
    if (on) this.place = this.hand.time;
    const length = this.seconds;
    const toggle = this.find("toggle");
    const word = on ? "Pause" : "Play";
    if (toggle.textContent !== word) {
      toggle.textContent = word;
      toggle.setAttribute("aria-label", `${word} ${this.title}`);
    }
    const seek = this.find("seek");
    seek.max = length.toFixed(3);
    seek.value = this.place;
    const told = `${clock(this.place)} / ${clock(this.hand.seconds)}`;
    if (this.find("time").textContent !== told) {
      this.find("time").textContent = told;
      seek.setAttribute("aria-valuetext", `${this.place.toFixed(1)} of ${this.hand.seconds.toFixed(1)} seconds`);
    }
    this.takes.forEach((take) => take.head(length ? this.place / length : 0));
    this.mark();
  }

  // What is said: words that can be pressed, the one of now marked.
  async words() {
    const said = this.find("said");
    if (!said) return;
    const take = this.hand;
    const words = await take.words();
    if (take !== this.hand) return; // another one was chosen meanwhile
    said.replaceChildren(
      ...words.flatMap((word) => {
        const span = document.createElement("span");
        span.textContent = word.text;
        span.dataset.start = word.start;
        span.dataset.end = word.end;
        return [span, " "];
      }),
    );
    said.hidden = !words.length;
    this.mark();
  }

  mark() {
    const said = this.find("said");
    if (!said || said.hidden) return;
    const at = this.place;
    for (const span of said.children) {
      span.classList.toggle("now", Number(span.dataset.start) <= at && at < Number(span.dataset.end) && (at > 0 || this.playing));
    }
  }

  end() {
    cancelAnimationFrame(this.frame);
    this.takes.forEach((take) => take.end());
  }
}

const KEYS = {
  " ": (player) => player.toggle(),
  ArrowLeft: (player, shift) => player.skip(shift ? -15 : -5),
  ArrowRight: (player, shift) => player.skip(shift ? 15 : 5),
  "[": (player) => player.faster(-1),
  "]": (player) => player.faster(1),
  m: (player) => player.match(),
  n: (player) => player.note(),
};
for (let digit = 1; digit <= 9; digit++) KEYS[digit] = (player) => player.choose(digit - 1);

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const target = event.target;
  if (!(key in KEYS) || target.closest?.("textarea, select, input:not([data-seek]):not([type=checkbox]), dialog[open]")) return;
  if (key === " " && target.closest?.("button, a, summary, input[type=checkbox]")) return; // it presses that
  const player = playerAtHand();
  if (!player) return;
  event.preventDefault();
  KEYS[key](player, event.shiftKey);
});

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  for (const player of players.values()) player.takes.forEach((take) => take.draw());
});

document.querySelectorAll("[data-player]").forEach(mount);
