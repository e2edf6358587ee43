// --- words for the reader: the English sentence is the key under which catalogues hold it ----------------------------

// The file holds each English sentence once, and beside it that of each language, or null.
var catalogues = (function () {
  var held = JSON.parse(document.getElementById("clearplan-languages").textContent), own = held.languages;
  Object.keys(own).forEach(function (code, k) {
    own[code].words = {};
    held.sentences.forEach(function (row) { if (row[k + 1] !== null) { own[code].words[row[0]] = row[k + 1]; } });
  });
  return own;
})();
var language = "en"; // the page is drawn in English first, and told anew where another language is asked for
var inEnglish = new Set(); // what was said in English while another language is shown
var retold = [];

// Languages whose figures CLDR writes alike, each known to every browser: some ship no Azerbaijani or Armenian ones.
var FIGURE_LOCALES = { az: "de", hy: "ru" };
function locale() { return FIGURE_LOCALES[language] || language; }

// A key that is looked up later, where the page is told.
function term(text) { return text; }

// Which of the forms "one|few|many" goes with a count.
function form(text, count, own) {
  var forms = text.split("|"), rules = new Intl.PluralRules(own);
  var kinds = ["one", "few", "many", "other"].filter(function (kind) {
    return rules.resolvedOptions().pluralCategories.indexOf(kind) >= 0;
  });
  return forms[Math.min(kinds.indexOf(rules.select(Number(count))), forms.length - 1)];
}

// A sentence in the reader's language, {name} filled in; values.count chooses among its forms.
function say(text, values) {
  if (typeof text !== "string") { return text; }
  var held = language === "en" || !Object.hasOwn(catalogues[language].words, text) ? null : catalogues[language].words[text];
  var told = held === null ? text : held;
  if (values && values.count !== undefined) { told = form(told, values.count, held === null ? "en" : language); }
  told = told.replace(/\{(\w+)\}/g, function (whole, name) {
    if (!values || !Object.hasOwn(values, name)) { return whole; }
    return typeof values[name] === "number" && name === "count" ? figure(values.count, 0) : values[name];
  });
  if (held === null && /\p{L}/u.test(told)) { inEnglish.add(told); }
  return told;
}

// Text of an element; what stays English inside another language is marked as English.
function write(node, text) {
  node.textContent = text;
  if (language !== "en" && inEnglish.has(text)) { node.lang = "en"; } else { node.removeAttribute("lang"); }
}

// A sentence as an element, where it stands inside another sentence.
function said(text) { return element("span", say(text)); }

// An element whose sentence holds other elements: {name} in a text that was said without them.
function tell(tag, text, nodes, className) {
  var node = element(tag, "", className);
  if (language !== "en" && inEnglish.has(text)) { node.lang = "en"; }
  text.split(/(\{\w+\})/).forEach(function (part) {
    var name = /^\{(\w+)\}$/.exec(part);
    if (part) { node.append(name && nodes[name[1]] ? nodes[name[1]] : part); }
  });
  return node;
}

// What tells a part of the page: it runs now, and again in each language that the reader chooses.
function onWords(draw) {
  retold.push(draw);
  draw();
}

// An element that stands for good, and keeps its sentence through every switch.
function spoken(tag, text, className) {
  var node = element(tag, "", className);
  onWords(function () { write(node, say(text)); });
  return node;
}

// Elements of the HTML: data-say marks text that is a key, data-say-label an aria-label that is one.
onWords(function () {
  document.querySelectorAll("[data-say]").forEach(function (node) {
    node.dataset.say = node.dataset.say || node.textContent;
    write(node, say(node.dataset.say));
  });
  document.querySelectorAll("[data-say-label]").forEach(function (node) {
    node.dataset.sayLabel = node.dataset.sayLabel || node.getAttribute("aria-label");
    node.setAttribute("aria-label", say(node.dataset.sayLabel));
  });
});

// Months stand in the catalogues for the same reason.
var MONTHS = [term("January"), term("February"), term("March"), term("April"), term("May"), term("June"), term("July"),
  term("August"), term("September"), term("October"), term("November"), term("December")];

var SHORT_MONTHS = [term("Jan"), term("Feb"), term("Mar"), term("Apr"), term("May"), term("Jun"), term("Jul"), term("Aug"),
  term("Sept"), term("Oct"), term("Nov"), term("Dec")];

function dayWords(iso, months) {
  var numbers = iso.split("-").map(Number);
  return say("{day} {month} {year}", { day: numbers[2], month: say((months || MONTHS)[numbers[1] - 1]), year: numbers[0] });
}
