// Keys go by their place on the keyboard, so that an input method for Korean is no obstacle.

const usesKeys = () => byId("use-keys").checked;

const KEYS = {
  KeyM: () => answer("MORNING"),
  KeyA: () => answer("AFTERNOON"),
  KeyN: () => answer("NEITHER"),
  KeyS: skip,
  KeyU: undo,
  KeyG: toggleTogether,
  KeyL: () => (view === "list" ? toOne() : toList()),
};

function onKey(event) {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.querySelector("dialog[open]") || revision === null) return; // not before the texts are there
  if (event.code === "Escape" || (event.target === byId("note") && event.key === "Enter")) return leave(event);
  if (event.target.matches("input:not([type=checkbox])") || !usesKeys()) return;
  const slash = event.code === "Slash" || event.key === "/";
  const help = event.key === "?" || (slash && event.shiftKey);
  const act = help ? openHelp : slash ? toSearch : KEYS[event.code];
  if (!act) return;
  event.preventDefault();
  if (!event.repeat) act();
}

function leave(event) {
  event.preventDefault();
  if (event.target === byId("note")) byId("text").focus();
  else if (event.target === byId("search") && byId("search").value) searchFor("");
  else if (view === "list") toOne();
}
