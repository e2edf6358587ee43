// plan {
// --- the plan of work: what is planned to be done by a stop of the slider -----------------------------------------

// Periods are numbered where the plan's settings give them no name of their own.
function periodWords(k) {
  var numbered = /^Period (\d+)$/.exec(plan.stops[k][0]);
  return numbered ? say("Period {number}", { number: numbered[1] }) : say(plan.stops[k][0]);
}

function stopWords(k) { return dayWords(plan.stops[k][1]) + " (" + periodWords(k) + ")"; }

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
  told.forEach(function (words) { box.appendChild(typeof words === "string" ? element("p", words) : words); });
  return box;
}

function workWords(task) {
  var work = task.plan;
  if (!work) { return [say("Not in the plan: no team is sent here by {stop}.", { stop: stopWords(lastStop()) })]; }
  var told = [say("Planned team: {teams}.|Planned teams: {teams}.",
    { teams: listed(work.teams, 8) || say("not named"), count: Math.max(1, work.teams.length) })];
  var own = { period: periodWords(work.start), day: dayWords(work.begins), last: stopWords(lastStop()) };
  if (work.finish !== null) {
    own.stop = stopWords(work.finish);
    told.push(say("Planned to start in {period} (from {day}) and to be finished by {stop}.", own));
  } else if (work.part === undefined) {
    told.push(say("Planned to start in {period} (from {day}) and not finished by {last}.", own));
  } else {
    own.share = share(work.part);
    told.push(say("Planned to start in {period} (from {day}) and not finished by {last}: {share} done then.", own));
  }
  return told;
}

// The day of the handover, which may lie within a period.
function openingDay(own) { return dayWords(own.on || plan.stops[own.opens][1]); }

function isOpen(zone, k) { return zone.plan.opens !== null && zone.plan.opens <= k; }

function halfWords(own) {
  if (own.p50 === undefined) { return ""; }
  if (own.p50 === null) { return " " + say("P50 and P80 lie beyond the plan."); }
  return " " + (own.p80
    ? say("Half of them have it open by {half} (P50), four of five by {most} (P80).", { half: dayWords(own.p50), most: dayWords(own.p80) })
    : say("Half of them have it open by {half} (P50), four of five only beyond the plan (P80).", { half: dayWords(own.p50) }));
}

function openingWords(zone) {
  var own = zone.plan, told = [];
  if (nobodyWaits(zone)) { return [say("Lived in already, and nobody waits: nothing opens here.")]; }
  if (zone.home > 0) { told.push(say("Lived in already: what opens is the land for those who wait.")); }
  told.push(own.opens === null ? say("Never opens in the plan, which ends on {stop}.", { stop: stopWords(lastStop()) })
    : own.opens === 0 ? say("Planned to be open from the start, {day}.", { day: dayWords(plan.stops[0][1]) })
    : say("Planned to be open by {stop}.", { stop: openingDay(own) + " (" + periodWords(own.opens) + ")" }));
  if (own.waits !== null) {
    told.push(own.waits === 0 ? say("Waits for no task.")
      : say("Waits for {count} task to be finished.|Waits for {count} tasks, all to be finished.", { count: own.waits }));
  }
  if (own.probability !== null) {
    told.push((own.opens === null ? say("Open at the plan's end in {share} of the draws.", { share: share(own.probability) })
      : say("Open by that day in {share} of the draws.", { share: share(own.probability) })) + halfWords(own));
  }
  if (own.why) { told.push(tell("p", say("Why: {reason}"), { reason: said(own.why) })); }
  if (own.sooner) { told.push(tell("p", say("Sooner: {reason}"), { reason: said(own.sooner) })); }
  return told;
}
// } plan
