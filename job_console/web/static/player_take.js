// One take of a player: its audio, its waveform, what is said in it.

const BAR = 3; // pixels, with the gap behind it

const TRIES = 6; // others are made first: then it is asked for again, when the console says so

async function told(address, tries = TRIES) {
  const answer = await fetch(address, { credentials: "same-origin", headers: { Accept: "application/json" } });
  if (answer.status === 503 && tries > 1) {
    const pause = 1000 * Number(answer.headers.get("Retry-After") ?? 5);
    await new Promise((go) => setTimeout(go, pause));
    return told(address, tries - 1);
  }
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.json();
}

/** Levels from 0 to 1, one for each of `count` even parts of `seconds`; the peaks are of audiowaveform's JSON. */
export function barsOf(peaks, count, seconds) {
  const { data, bits, sample_rate: rate, samples_per_pixel: step } = peaks;
  const pairs = data.length / 2;
  const perBar = (seconds * rate) / step / count;
  const full = 2 ** (bits - 1);
  return Array.from({ length: count }, (_, bar) => {
    let highest = 0;
    const last = Math.min(pairs, Math.max(Math.ceil((bar + 1) * perBar), Math.floor(bar * perBar) + 1));
    for (let at = Math.floor(bar * perBar); at < last; at++) {
      highest = Math.max(highest, -data[2 * at], data[2 * at + 1]);
    }
    return Math.min(highest / full, 1);
  });
}

/** The words of a caption, by whose letters its time is shared out: nobody told when each of them sounds. */
export function wordsOf({ start, end, text }) {
  const words = text.split(/\s+/u).filter(Boolean);
  const letters = words.reduce((sum, word) => sum + word.length + 1, 0);
  let at = start;
  return words.map((word) => {
    const from = at;
    at += ((end - start) * (word.length + 1)) / letters;
    return { text: word, start: from, end: at };
  });
}

export class PlayedTake {
  constructor(player, element, at) {
    this.player = player;
    this.element = element;
    this.at = at;
    this.label = element.querySelector("[data-choose]")?.textContent.trim() ?? "";
    this.gain = Number(element.dataset.gain) || 0;
    this.sha256 = element.dataset.sha256;
    this.seconds = Number(element.dataset.seconds) || 0;
    this.audio = null;
    this.wanted = null; // where it is to be, in seconds, while its audio does not know of places yet
    this.peaks = undefined; // null: it has none
    this.said = null;
    this.marks = [];
    this.wave = element.querySelector("[data-wave]");
    this.played = this.added("played");
    this.line = this.added("head");
    this.wave.addEventListener("pointerdown", (event) => this.drag(event));
    this.wave.addEventListener("pointermove", (event) => event.buttons & 1 && this.drag(event));
    this.sizes = new ResizeObserver(() => this.draw());
    this.sizes.observe(this.wave);
  }

  added(name) {
    const span = document.createElement("span");
    span.className = name;
    span.setAttribute("aria-hidden", "true");
    this.wave.append(span);
    return span;
  }

  get playing() {
    return Boolean(this.audio && !this.audio.paused && !this.audio.ended);
  }

  get ended() {
    return Boolean(this.audio?.ended);
  }

  get time() {
    return this.wanted ?? this.audio?.currentTime ?? 0;
  }

  load(ahead) {
    if (!this.audio) {
      this.audio = new Audio();
      this.audio.preload = ahead ? "auto" : "none";
      this.audio.preservesPitch = true;
      this.audio.src = this.element.dataset.src;
      for (const name of ["play", "pause", "ended", "seeked", "error"]) {
        this.audio.addEventListener(name, () => this.player.news(this));
      }
      this.audio.addEventListener("loadedmetadata", () => this.loaded());
    } else if (ahead) this.audio.preload = "auto";
  }

  loaded() {
    if (this.wanted !== null) this.audio.currentTime = this.wanted;
    this.wanted = null;
    this.measured(this.audio.duration);
  }

  measured(seconds) {
    if (this.seconds || !Number.isFinite(seconds)) return;
    this.seconds = seconds;
    this.player.takes.forEach((take) => take.draw());
    this.player.show();
  }

  play(place, speed) {
    this.load(true);
    this.rate(speed);
    this.go(place);
    return this.audio.play();
  }

  pause() {
    this.audio?.pause();
  }

  go(place) {
    if (!this.audio) return;
    if (this.audio.readyState >= HTMLMediaElement.HAVE_METADATA) this.audio.currentTime = place;
    else this.wanted = place;
  }

  rate(speed) {
    if (!this.audio) return;
    this.audio.defaultPlaybackRate = speed;
    this.audio.playbackRate = speed;
  }

  /** Only ever turned down: what is made louder could be cut off. */
  level(matched) {
    if (this.audio) this.audio.volume = matched ? Math.min(1, 10 ** (Math.min(0, this.gain) / 20)) : 1;
  }

  atHand(yes) {
    this.element.classList.toggle("at-hand", yes);
    this.element.querySelector("[data-choose]")?.setAttribute("aria-pressed", String(yes));
  }

  head(part) {
    const percent = `${(100 * Math.min(part, 1)).toFixed(3)}%`;
    this.played.style.width = percent;
    this.line.style.left = percent;
  }

  drag(event) {
    if (event.button > 0) return;
    event.preventDefault();
    if (event.type === "pointerdown") this.wave.setPointerCapture(event.pointerId);
    const box = this.wave.getBoundingClientRect();
    this.player.choose(this.at);
    this.player.seek(((event.clientX - box.left) / box.width) * this.player.seconds);
  }

  async draw() {
    if (this.peaks === undefined) {
      this.peaks = null;
      if (this.element.dataset.peaks) {
        this.wave.classList.add("loading");
        this.peaks = await told(this.element.dataset.peaks).catch(() => null);
        this.wave.classList.remove("loading");
      }
      if (this.peaks) this.measured((this.peaks.length * this.peaks.samples_per_pixel) / this.peaks.sample_rate);
      this.wave.classList.toggle("unseen-wave", !this.peaks);
    }
    const canvas = this.wave.querySelector("canvas");
    const { clientWidth: width, clientHeight: height } = this.wave;
    if (!this.peaks || !width || !this.player.seconds) return;
    const scale = devicePixelRatio || 1;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    pen.fillStyle = getComputedStyle(this.wave).color;
    barsOf(this.peaks, Math.max(1, Math.floor(width / BAR)), this.player.seconds).forEach((level, bar) => {
      const tall = Math.max(level * (height - 4), level ? 1 : 0);
      if (tall) pen.fillRect(bar * BAR, (height - tall) / 2, BAR - 1, tall);
    });
    this.pin();
  }

  /** Marks the places of notes: [{seconds, words}]. */
  notes(found) {
    this.marks = found;
    this.pin();
  }

  pin() {
    this.wave.querySelectorAll(".pin").forEach((old) => old.remove());
    if (!this.player.seconds) return;
    for (const { seconds } of this.marks) this.added("pin").style.left = `${(100 * seconds) / this.player.seconds}%`;
  }

  /** What is said, as {text, start, end}: words where their times are known, else those of captions, about then. */
  async words() {
    if (this.said === null) {
      const address = this.element.dataset.captions;
      const found = address ? await told(address).catch(() => null) : null;
      this.said = found ? (found.words.length ? found.words : found.captions.flatMap(wordsOf)) : [];
    }
    return this.said;
  }

  end() {
    this.sizes.disconnect();
    if (!this.audio) return;
    this.audio.pause();
    this.audio.removeAttribute("src");
    this.audio.load();
  }
}
