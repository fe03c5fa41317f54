// Words that somebody types at a gate: nothing takes them from under the hands, and none of them is taken for a key.

const FIELD = "input:not([type=checkbox], [type=radio], [type=range], [type=button], [type=submit]), textarea, select";
const AFTER_MS = 1000; // who types looks up only then
const PLACE = "gate-drafts";
const KEPT = 100;
let typed = null; // the field that the last letter went into, and when

/** The field that somebody types in, if `element` is one. */
export const fieldOf = (element) => element?.closest?.(FIELD) ?? null;

/** Whether somebody is in a field now: then nothing on the page is replaced, and the focus stays. */
export const isTyping = () => fieldOf(document.activeElement) !== null;

/**
 * Whether a key was meant for a field: it is in one, or the field of the letters just before it is gone. Escape and
 * Enter end what was typed, so that a key behind them is one.
 */
export function isOfWords(event) {
  const field = fieldOf(event.target);
  const now = performance.now();
  if (field) {
    typed = event.key.length === 1 || event.key === "Backspace" ? { field, at: now } : null;
    return true;
  }
  if (!typed || typed.field.getClientRects().length || now - typed.at > AFTER_MS) return false;
  typed.at = now; // he goes on with his word
  return true;
}

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(PLACE)) ?? {};
  } catch {
    return {}; // nothing can be kept here
  }
}

/** Keeps what is written at a gate in this tab: the values of its fields, by their places; null: nothing any more. */
export function keepDraft(gate, draft) {
  const { [gate]: _, ...others } = read();
  const all = Object.entries(draft ? { ...others, [gate]: draft } : others).slice(-KEPT);
  try {
    sessionStorage.setItem(PLACE, JSON.stringify(Object.fromEntries(all)));
  } catch {
    // the browser keeps nothing: then a draft lives as long as its card
  }
}

/** What was written at a gate and went nowhere yet; undefined: nothing. */
export const keptDraft = (gate) => read()[gate];
