// What has been said about each text, and which comes next.

const answersTo = (key) => said[key]?.answers ?? [];
const seenOf = (key) => said[key]?.seen ?? "";
const ownAnswer = (key) => answersTo(key).find((answer) => answer.reviewer === reviewer);
const isHidden = (answer) => facts.blind && answer.reviewer !== reviewer;

function stateOf(key) {
  const verdicts = new Set(answersTo(key).map((answer) => answer.verdict));
  return verdicts.size === 0 ? "open" : verdicts.size === 1 || facts.blind ? "done" : "split";
}

function wordsOf(answer) {
  if (isHidden(answer)) return fill(say.someone, { reviewer: answer.reviewer });
  const word = fill(say.by, { reviewer: answer.reviewer, verdict: say.verdicts[answer.verdict] });
  return answer.note ? `${word} (${answer.note})` : word;
}

const allSaid = (key) => answersTo(key).map(wordsOf).join(", ");
const openAlike = (key) =>
  (groups.get(texts.get(key).group) ?? []).filter((other) => other !== key && stateOf(other) === "open");

/** The next open text behind the current one, going round; skipped ones only when nothing else is left. */
function nextKey() {
  const keys = [...texts.keys()];
  const start = current === null ? 0 : keys.indexOf(current) + 1;
  const round = [...keys.slice(start), ...keys.slice(0, start)].filter((key) => stateOf(key) === "open");
  const fresh = round.find((key) => !skipped.has(key));
  if (fresh !== undefined) return fresh;
  skipped.clear();
  keep("skipped", []);
  return round[0] ?? null;
}

function learnAll(told) {
  said = told.said;
  revision = told.revision;
}

/** Take in what stands about a few texts; where that is all that changed, nothing more need be asked. */
function learnSome(told) {
  Object.assign(said, told.said);
  if (told.since === revision && told.revision) revision = told.revision;
}
