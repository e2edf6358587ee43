// plan {
// --- the plan of work: what is planned to be done by a stop of the slider -----------------------------------------

var MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
  "November", "December"];

function dayWords(iso) {
  var numbers = iso.split("-").map(Number);
  return numbers[2] + " " + MONTHS[numbers[1] - 1] + " " + numbers[0];
}

function stopWords(k) { return dayWords(plan.stops[k][1]) + " (" + plan.stops[k][0] + ")"; }

function lastStop() { return plan.stops.length - 1; }

function isFinished(task) { return Boolean(task.plan) && task.plan.finish !== null && task.plan.finish <= stop; }

function isUnderWay(task) { return Boolean(task.plan) && task.plan.start <= stop && !isFinished(task); }

function plannedStyle(task, near) {
  if (isFinished(task)) {
    return { stroke: true, color: PLANNED.line, weight: near ? 2 : 1.4, opacity: 1, dashArray: near ? "6 4" : null,
      fillColor: PLANNED.fill, fillOpacity: near ? 0.12 : 0.6 };
  }
  if (isUnderWay(task)) {
    return { stroke: true, color: UNDER_WAY.line, weight: near ? 2.6 : 1.4, opacity: 1, dashArray: null,
      fillColor: UNDER_WAY.fill, fillOpacity: near ? 0.25 : 0.9 };
  }
  return { stroke: near, color: "#444444", weight: 0.6, opacity: 0.7, dashArray: null, fillColor: "#444444",
    fillOpacity: 0.01 };
}

function paragraphs(told) {
  var box = element("div", null, "work");
  told.forEach(function (words) { box.appendChild(element("p", words)); });
  return box;
}

function workWords(task) {
  var work = task.plan;
  if (!work) { return ["Not in the plan: no team is sent here by " + stopWords(lastStop()) + "."]; }
  var told = [(work.teams.length > 1 ? "Planned teams: " : "Planned team: ") + (listed(work.teams, 8) || "not named") + "."];
  told.push("Planned to start in " + plan.stops[work.start][0] + " (from " + dayWords(work.begins) + ") and "
    + (work.finish !== null ? "to be finished by " + stopWords(work.finish) + "."
      : "not finished by " + stopWords(lastStop()) + (work.part === undefined ? "" : ": " + share(work.part) + " done then") + "."));
  return told;
}

function isOpen(zone, k) { return zone.plan.opens !== null && zone.plan.opens <= k; }

function halfWords(own) {
  if (own.p50 === undefined) { return ""; }
  if (own.p50 === null) { return " P50 and P80 lie beyond the plan."; }
  return " Half of them have it open by " + dayWords(own.p50) + " (P50), four of five "
    + (own.p80 ? "by " + dayWords(own.p80) : "only beyond the plan") + " (P80).";
}

function openingWords(zone) {
  var own = zone.plan, told = [];
  told.push(own.opens === null ? "Never opens in the plan, which ends on " + stopWords(lastStop()) + "."
    : own.opens === 0 ? "Planned to be open from the start, " + dayWords(plan.stops[0][1]) + "."
    : "Planned to be open by " + stopWords(own.opens) + ".");
  if (own.waits !== null) {
    told.push(own.waits === 0 ? "Waits for no task."
      : "Waits for " + figure(own.waits, 0) + (own.waits === 1 ? " task to be finished." : " tasks, all to be finished."));
  }
  if (own.probability !== null) {
    told.push((own.opens === null ? "Open at the plan's end in " : "Open by that day in ") + share(own.probability)
      + " of the draws." + halfWords(own));
  }
  if (own.why) { told.push("Why: " + own.why); }
  if (own.sooner) { told.push("Sooner: " + own.sooner); }
  return told;
}
// } plan
