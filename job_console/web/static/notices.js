// Short words to the person at the page; a screen reader says them, too.

const STAYS_MS = 6000;

/** Shows a sentence; `problem` stays until it is closed. Returns the element. */
export function notice(sentence, { problem = false, button, press, stays = STAYS_MS } = {}) {
  const box = document.createElement("div");
  box.className = problem ? "notice problem" : "notice";
  if (problem) box.setAttribute("role", "alert");
  const words = document.createElement("span");
  words.textContent = sentence;
  box.append(words);
  const add = (label, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = label;
    made.addEventListener("click", act);
    box.append(made);
  };
  if (button) add(button, press);
  if (problem) add("Close", () => box.remove());
  else if (stays) setTimeout(() => box.remove(), stays);
  document.getElementById("notices").append(box);
  return box;
}

/** Shows why something failed. */
export function failed(error) {
  const words = error instanceof TypeError ? "The console does not answer; nothing was changed." : error.message;
  return notice(words, { problem: true });
}
