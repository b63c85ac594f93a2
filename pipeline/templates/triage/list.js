// The list, its filters and its search.

function found() {
  const wanted = byId("search").value.normalize("NFC").toLowerCase().trim();
  const matches = (text) => {
    const words = [shownText(text.text), facts.reasons[text.reason] ?? "", allSaid(text.key)].join("\n");
    return words.normalize("NFC").toLowerCase().includes(wanted);
  };
  return wanted ? [...texts.values()].filter(matches) : [...texts.values()];
}

function drawList() {
  const all = found();
  for (const button of document.querySelectorAll("[data-filter]")) {
    const those = all.filter((text) => passes(text.key, button.dataset.filter));
    button.setAttribute("aria-pressed", String(button.dataset.filter === filter));
    button.querySelector(".count").textContent = number(those.length);
  }
  const those = all.filter((text) => passes(text.key, filter));
  const shown = those.slice(0, linesShown);
  const focused = document.activeElement?.dataset?.open;
  byId("lines").replaceChildren(...shown.map((text) => line(text)));
  if (focused) byId("lines").querySelector(`[data-open="${focused}"]`)?.focus();
  byId("found").textContent = those.length ? fill(say.found, { count: number(those.length) }) : say.none_found;
  byId("more").hidden = shown.length === those.length;
  byId("more").textContent = fill(say.more, { count: number(Math.min(LINES_A_PAGE, those.length - shown.length)) });
}

const passes = (key, name) => name === "all" || stateOf(key) === name;

function line(text) {
  const row = element("tr");
  const open = element("button", text.text ? "" : "void");
  open.type = "button";
  open.dataset.open = text.key;
  open.append(element("bdi", "", shownText(text.text)));
  open.onclick = () => show(text.key);
  const first = element("th");
  first.scope = "row";
  first.append(open);
  row.append(first);
  if (!facts.blind) {
    row.append(element("td", "number", number(text.rows)));
    row.append(element("td", "soft", facts.reasons[text.reason] ?? ""));
    row.append(element("td", "", text.suggestion ? say.verdicts[text.suggestion] : say.verdicts.OPEN));
  }
  row.append(element("td", stateOf(text.key), allSaid(text.key) || say.verdicts.OPEN));
  return row;
}

function searchFor(words) {
  byId("search").value = words;
  linesShown = LINES_A_PAGE;
  drawList();
}

function openFirst(event) {
  if (event.isComposing || event.key !== "Enter") return;
  byId("lines").querySelector("button")?.click();
}
