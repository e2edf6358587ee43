// --- words for the reader: the English sentence is the key under which catalogues hold it ----------------------------

var language = "en";

// Months and figures as the language writes them; English with the day before the month.
function locale() { return language === "en" ? "en-GB" : language; }

// A key that is looked up later, where the page is drawn.
function term(text) { return text; }

// Which of the forms "one|few|many" goes with a count.
function form(text, count) {
  var forms = text.split("|");
  var kinds = ["one", "few", "many", "other"].filter(function (kind) { return pluralRules().resolvedOptions().pluralCategories.indexOf(kind) >= 0; });
  var place = kinds.indexOf(pluralRules().select(count));
  return forms[Math.min(place, forms.length - 1)];
}

function pluralRules() { return new Intl.PluralRules(locale()); }

// A sentence in the reader's language, {name} filled in; values.count chooses among the forms of "one|other".
function say(text, values) {
  var own = values && values.count !== undefined ? form(text, values.count) : text;
  return own.replace(/\{(\w+)\}/g, function (whole, name) {
    if (!values || !Object.prototype.hasOwnProperty.call(values, name)) { return whole; }
    return name === "count" ? figure(values.count, 0) : values[name];
  });
}

// The same as an element, where it stands inside another sentence.
function said(text) { return element("span", say(text)); }

// An element whose sentence holds other elements: {name} in a text that was said without them.
function tell(tag, text, nodes, className) {
  var node = element(tag, null, className);
  text.split(/(\{\w+\})/).forEach(function (part) {
    var name = /^\{(\w+)\}$/.exec(part);
    if (part) { node.append(name && nodes[name[1]] ? nodes[name[1]] : part); }
  });
  return node;
}

function dayWords(iso) {
  return new Date(iso + "T00:00:00Z").toLocaleDateString(locale(), { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
}
