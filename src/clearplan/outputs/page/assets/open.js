var data = JSON.parse(document.getElementById("clearplan-data").textContent);
var about = data.about;
var map = map_clearplan.setMaxZoom(18);
map.options.zoomSnap = 0.25;
var phone = window.matchMedia("(max-width: 700px)").matches;

var COLOUR = {
  CHA: { fill: "#FF0000", line: "#7A0000" },
  SHA: { fill: "#F4A718", line: "#8A5A00" },
  indication: { fill: "#8E7CC3", line: "#5E4B8B" }
};
var CLASS_WORDS = {
  CHA: term("Confirmed hazardous area (CHA)"),
  SHA: term("Suspected hazardous area (SHA)"),
  indication: term("Indication, not yet surveyed")
};
// Published cells are not hazardous as a whole: their words must not say so.
if (data.generalised) {
  CLASS_WORDS = {
    CHA: term("Cell that holds confirmed hazardous area (CHA)"),
    SHA: term("Cell that holds suspected hazardous area (SHA)"),
    indication: term("Cell that holds indications, not yet surveyed")
  };
}
// Blues from dark to light: told apart in grey and by colour-blind readers, unlike every hazard's colour. No green: low
// priority is not free of hazard.
var PRIORITY = {
  high: { line: "#1B0B3B", weight: 2.2, tint: 0.6, words: term("High priority") },
  medium: { line: "#0072B2", weight: 1.5, tint: 0.4, words: term("Medium priority") },
  low: { line: "#56B4E9", weight: 1.2, tint: 0.3, words: term("Low priority, not free of hazard") }
};
var PRIORITY_WORDS = {
  "high": term("high"), "medium": term("medium"), "low": term("low"),
  "high/medium": term("high or medium: nobody can tell"), "medium/low": term("medium or low: nobody can tell"),
  "high/low": term("high, medium or low: nobody can tell")
};
var GATED = { line: "#5A5A5A", fill: "#9A9A9A" };
var NUMBERED = 10; // tasks of each queue that carry their rank on the map
var FOLDED = 5; // more tasks behind gates than this open on demand

// plan {
var plan = data.plan;
var stop = -1; // of the slider: -1 is today, when the plan is not shown
// Dashed as what is not yet so. Nothing that is planned looks like ground that is released, and none of it is green.
var PLANNED = { line: "#2B3A8C", fill: "#9DB2E8" }, UNDER_WAY = { line: "#7B1257", fill: "#D98CB3" };
var PLACE_LINE = "#00429D";
var placeMarkers = [];
// } plan
