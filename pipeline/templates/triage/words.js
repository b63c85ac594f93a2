// Numbers, dates and texts in words.

const number = (value) => new Intl.NumberFormat(language).format(value);
// Never more sure than it is: 0.997 is 99 %.
const percent = (share) => new Intl.NumberFormat(language, { style: "percent" }).format(Math.floor(share * 100) / 100);
const day = (date) => new Intl.DateTimeFormat(language, { dateStyle: "medium", timeZone: "UTC" }).format(new Date(date));

function fill(sentence, values = {}) {
  return sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

function shownText(text) {
  return text === null ? say.nothing : text === "" ? say.empty : text;
}

function inSentence(key) {
  const letters = [...shownText(texts.get(key).text)];
  const short = letters.length > SAID_LENGTH ? `${letters.slice(0, SAID_LENGTH).join("")}…` : letters.join("");
  return `“${short}”`;
}

function about(keys, one, more, values = {}) {
  const words = { text: inSentence(keys[0]), count: number(keys.length - 1), ...values };
  return fill(keys.length > 1 ? more : one, words);
}
