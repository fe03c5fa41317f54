// Short words to the person at the page; a screen reader says them, too.

const STAYS_MS = 6000;
export const SESSION_OVER = "Your session is over, so nothing of this was done. Log in, then do it again.";
let over = null;

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
  if (error.status === 401) return sessionOver(error.message);
  const lost = "The console does not answer. Look whether it was done before you do it again.";
  return notice(error instanceof TypeError ? lost : error.message, { problem: true });
}

/** Says, once, that there is no session any more; the login opens beside the page, which stays as it is. */
export function sessionOver(words = "Your session is over. Log in to go on here.") {
  over?.remove();
  const press = () => open(`/login?next=${encodeURIComponent(location.pathname + location.search)}`, "_blank", "noopener");
  over = notice(words, { problem: true, button: "Log in", press });
  return over;
}

/** The session is good (again). */
export function sessionLasts() {
  over?.remove();
  over = null;
}
