// Texts that may get the same answer.

const isTogether = () => Boolean(byId("together")?.checked);

function drawAlike(key, all = false) {
  const alike = stateOf(key) === "open" ? openAlike(key) : [];
  byId("siblings").hidden = alike.length === 0;
  const shown = all ? alike : alike.slice(0, Math.max(ALIKE_SHOWN, byId("alike").childElementCount));
  if (byId("alike").dataset.keys !== shown.join()) byId("alike").replaceChildren(...shown.map(sibling));
  byId("alike").dataset.keys = shown.join();
  byId("rest").hidden = shown.length === alike.length;
  byId("rest").textContent = fill(say.rest, { count: number(alike.length - shown.length) });
  drawTogether();
}

function sibling(key) {
  const text = texts.get(key);
  const line = element("label");
  const box = element("input");
  box.type = "checkbox";
  box.checked = !leftOut.has(key);
  box.onchange = () => {
    if (box.checked) leftOut.delete(key);
    else leftOut.add(key);
    drawTogether();
  };
  line.append(box, element("bdi", "", shownText(text.text)), element("small", "", number(text.rows)));
  const item = element("li");
  item.append(line);
  return item;
}

function drawTogether() {
  const alike = openAlike(current);
  const chosen = alike.filter((key) => !leftOut.has(key));
  const rows = chosen.reduce((sum, key) => sum + texts.get(key).rows, 0);
  byId("together-words").textContent = fill(say.together, { count: number(chosen.length) });
  byId("together-rows").textContent = fill(say.together_rows, { rows: number(rows) });
  byId("together").disabled = chosen.length === 0;
  byId("siblings").classList.toggle("on", isTogether());
  byId("several").textContent = isTogether() ? fill(say.for_all, { count: number(chosen.length + 1) }) : "";
}

function toggleTogether() {
  const box = byId("together");
  if (!box || saving || current === null || view !== "one") return;
  if (byId("siblings").hidden || box.disabled) return tell(say.none_alike);
  box.checked = !box.checked;
  announceTogether();
}

function announceTogether() {
  drawTogether();
  const chosen = openAlike(current).filter((key) => !leftOut.has(key)).length;
  tell(isTogether() ? fill(say.together_on, { count: number(chosen) }) : say.together_off);
}
