// The page of voices: a line is said by one of them, and the sample can be heard below it.

import { failed } from "./notices.js";
import { mount, unmount } from "./player.js";
import { ask, part } from "./request.js";

const line = document.getElementById("line");

function show(place, sample) {
  const name = sample.name;
  const root = document.getElementById("sample").content.querySelector("[data-player]").cloneNode(true);
  root.id = `sample-${sample.id}`;
  root.dataset.title = name;
  root.querySelector("[data-toggle]").setAttribute("aria-label", `Play ${name}`);
  root.querySelector("[data-seek]").setAttribute("aria-label", `Position in ${name}`);
  const take = root.querySelector("[data-take]");
  take.dataset.src = `/api/v1/voice-samples/${part(sample.id)}`;
  take.dataset.peaks = `${take.dataset.src}/peaks`;
  take.dataset.seconds = String(sample.audio_seconds);
  take.dataset.sha256 = sample.sha256;
  take.querySelector("[data-choose]").textContent = sample.text;
  place.querySelectorAll("[data-player]").forEach(unmount);
  place.replaceChildren(root);
  mount(root).play();
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-hear]");
  if (!button) return;
  const card = button.closest("section");
  const told = card.querySelector("[data-hearing]");
  const text = line.value.trim();
  if (!text) {
    line.focus();
    return;
  }
  button.disabled = true;
  told.textContent = "Speaking…";
  try {
    const sample = await ask("POST", `/api/v1/voices/${part(button.dataset.hear)}/samples`, { text });
    told.textContent = "";
    show(card.querySelector("[data-heard]"), sample);
  } catch (error) {
    told.textContent = "";
    failed(error);
  } finally {
    button.disabled = false;
  }
});
