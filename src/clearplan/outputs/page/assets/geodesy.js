// --- geodesy: distances, areas, UTM and MGRS on the WGS 84 ellipsoid; nothing of the page -------------------------

var EARTH = { a: 6378137, f: 1 / 298.257223563, k0: 0.9996 };
EARTH.b = EARTH.a * (1 - EARTH.f);
EARTH.n = EARTH.f / (2 - EARTH.f);
EARTH.e = Math.sqrt(EARTH.f * (2 - EARTH.f));
// Radius of the rectifying circle, and Krueger's series to the fourth power of n, below a micrometre in a zone
// (Karney, J. Geodesy 85, 2011, eq. 12, 14, 35 and 36).
(function () {
  var n = EARTH.n, n2 = n * n, n3 = n2 * n, n4 = n3 * n;
  EARTH.rectifying = EARTH.a / (1 + n) * (1 + n2 / 4 + n4 / 64);
  EARTH.alpha = [n / 2 - 2 * n2 / 3 + 5 * n3 / 16 + 41 * n4 / 180, 13 * n2 / 48 - 3 * n3 / 5 + 557 * n4 / 1440,
    61 * n3 / 240 - 103 * n4 / 140, 49561 * n4 / 161280];
  EARTH.beta = [n / 2 - 2 * n2 / 3 + 37 * n3 / 96 - n4 / 360, n2 / 48 + n3 / 15 - 437 * n4 / 1440,
    17 * n3 / 480 - 37 * n4 / 840, 4397 * n4 / 161280];
})();

function radians(degrees) { return degrees * Math.PI / 180; }

// Metres between two points {lat, lng}: Vincenty's inverse (Survey Review 23, 1975), within a millimetre. Where it does
// not converge, near the antipode, a sphere of the mean radius answers within 0.6 %.
function geodesicMetres(from, to) {
  var f = EARTH.f, L = radians(to.lng - from.lng), lambda = L;
  var u1 = Math.atan((1 - f) * Math.tan(radians(from.lat))), u2 = Math.atan((1 - f) * Math.tan(radians(to.lat)));
  var s1 = Math.sin(u1), c1 = Math.cos(u1), s2 = Math.sin(u2), c2 = Math.cos(u2);
  for (var turn = 0; turn < 100; turn += 1) {
    var sinL = Math.sin(lambda), cosL = Math.cos(lambda);
    var sinS = Math.hypot(c2 * sinL, c1 * s2 - s1 * c2 * cosL);
    if (sinS === 0) { return 0; }
    var cosS = s1 * s2 + c1 * c2 * cosL, sigma = Math.atan2(sinS, cosS);
    var sinA = c1 * c2 * sinL / sinS, cos2A = 1 - sinA * sinA;
    var mid = cos2A === 0 ? 0 : cosS - 2 * s1 * s2 / cos2A;
    var C = f / 16 * cos2A * (4 + f * (4 - 3 * cos2A)), before = lambda;
    lambda = L + (1 - C) * f * sinA * (sigma + C * sinS * (mid + C * cosS * (2 * mid * mid - 1)));
    if (Math.abs(lambda - before) < 1e-12) {
      var u = cos2A * (EARTH.a * EARTH.a / (EARTH.b * EARTH.b) - 1);
      var A = 1 + u / 16384 * (4096 + u * (u * (320 - 175 * u) - 768)), B = u / 1024 * (256 + u * (u * (74 - 47 * u) - 128));
      var less = B * sinS * (mid + B / 4 * (cosS * (2 * mid * mid - 1) - B / 6 * mid * (4 * sinS * sinS - 3) * (4 * mid * mid - 3)));
      return EARTH.b * A * (sigma - less);
    }
  }
  var half = Math.pow(Math.sin(radians(to.lat - from.lat) / 2), 2)
    + Math.cos(radians(from.lat)) * Math.cos(radians(to.lat)) * Math.pow(Math.sin(L / 2), 2);
  return 2 * 6371008.8 * Math.asin(Math.min(1, Math.sqrt(half)));
}

// Square metres inside a closed ring of points {lat, lng}, on the sphere of equal area (authalic latitudes: Snyder 1987,
// eq. 3-12 and 3-16; excess under each edge: Chamberlain and Duquette 2007). Only the edges differ from geodesics, by
// less than 0.1 % of the area for rings up to some hundred kilometres; it may not cross itself or hold a pole.
function ringSquareMetres(ring) {
  var e = EARTH.e;
  function q(sin) { return (1 - e * e) * (sin / (1 - e * e * sin * sin) + Math.atanh(e * sin) / e); }
  var pole = q(1), excess = 0;
  var authalic = ring.map(function (point) { return Math.asin(q(Math.sin(radians(point.lat))) / pole); });
  ring.forEach(function (point, k) {
    var next = (k + 1) % ring.length, t1 = Math.tan(authalic[k] / 2), t2 = Math.tan(authalic[next] / 2);
    var over = radians(((ring[next].lng - point.lng + 540) % 360 + 360) % 360 - 180);
    excess += 2 * Math.atan2(Math.tan(over / 2) * (t1 + t2), 1 + t1 * t2);
  });
  return Math.abs(excess) * EARTH.a * EARTH.a * pole / 2;
}

// Whether a ring crosses itself: then it encloses no one area.
function crossesItself(ring) {
  function side(p, q, r) { return Math.sign((q.lng - p.lng) * (r.lat - p.lat) - (q.lat - p.lat) * (r.lng - p.lng)); }
  function at(k) { return ring[k % ring.length]; }
  for (var i = 0; i < ring.length; i += 1) {
    for (var j = i + 2; j < ring.length; j += 1) {
      if (i === 0 && j === ring.length - 1) { continue; }
      if (side(at(i), at(i + 1), at(j)) * side(at(i), at(i + 1), at(j + 1)) < 0
        && side(at(j), at(j + 1), at(i)) * side(at(j), at(j + 1), at(i + 1)) < 0) { return true; }
    }
  }
  return false;
}

// Zone of UTM, with the exceptions of MGRS for Norway and Svalbard.
function utmZone(lat, lng) {
  lng = ((lng + 180) % 360 + 360) % 360 - 180;
  if (lat >= 56 && lat < 64 && lng >= 3 && lng < 12) { return 32; }
  if (lat >= 72 && lng >= 0 && lng < 42) { return lng < 9 ? 31 : lng < 21 ? 33 : lng < 33 ? 35 : 37; }
  return Math.floor((lng + 180) / 6) + 1;
}

// Easting and northing in a zone [m]; south of the equator the northing is negative.
function toUtm(lat, lng, zone) {
  var sin = Math.sin(radians(lat)), over = radians(lng - (6 * zone - 183));
  var t = Math.sinh(Math.atanh(sin) - EARTH.e * Math.atanh(EARTH.e * sin));
  var xi = Math.atan2(t, Math.cos(over)), eta = Math.asinh(Math.sin(over) / Math.hypot(t, Math.cos(over)));
  var north = xi, east = eta;
  EARTH.alpha.forEach(function (a, j) {
    north += a * Math.sin(2 * (j + 1) * xi) * Math.cosh(2 * (j + 1) * eta);
    east += a * Math.cos(2 * (j + 1) * xi) * Math.sinh(2 * (j + 1) * eta);
  });
  return { east: 500000 + EARTH.k0 * EARTH.rectifying * east, north: EARTH.k0 * EARTH.rectifying * north };
}

function fromUtm(east, north, zone) {
  var xi = north / (EARTH.k0 * EARTH.rectifying), eta = (east - 500000) / (EARTH.k0 * EARTH.rectifying);
  var x = xi, y = eta;
  EARTH.beta.forEach(function (b, j) {
    x -= b * Math.sin(2 * (j + 1) * xi) * Math.cosh(2 * (j + 1) * eta);
    y -= b * Math.cos(2 * (j + 1) * xi) * Math.sinh(2 * (j + 1) * eta);
  });
  var wanted = Math.sin(x) / Math.hypot(Math.sinh(y), Math.cos(x)), e2 = EARTH.e * EARTH.e, tau = wanted / (1 - e2);
  for (var turn = 0; turn < 5; turn += 1) {
    var root = Math.sqrt(1 + tau * tau), sigma = Math.sinh(EARTH.e * Math.atanh(EARTH.e * tau / root));
    var own = tau * Math.sqrt(1 + sigma * sigma) - sigma * root;
    tau += (wanted - own) / Math.sqrt(1 + own * own) * (1 + (1 - e2) * tau * tau) / ((1 - e2) * root);
  }
  return { lat: Math.atan(tau) * 180 / Math.PI, lng: 6 * zone - 183 + Math.atan2(Math.sinh(y), Math.cos(x)) * 180 / Math.PI };
}

// MGRS of a point, cut (never rounded) to so many digits each way: 5 is 1 m, 0 the 100-km square. Null near the poles.
function mgrs(lat, lng, digits) {
  if (lat < -80 || lat > 84) { return null; }
  lng = ((lng + 180) % 360 + 360) % 360 - 180;
  var zone = utmZone(lat, lng), at = toUtm(lat, lng, zone);
  var north = at.north < 0 ? at.north + 1e7 : at.north;
  var column = ["ABCDEFGH", "JKLMNPQR", "STUVWXYZ"][(zone - 1) % 3].charAt(Math.floor(at.east / 1e5) - 1);
  var row = "ABCDEFGHJKLMNPQRSTUV".charAt((Math.floor(north / 1e5) + (zone % 2 ? 0 : 5)) % 20);
  var band = "CDEFGHJKLMNPQRSTUVWX".charAt(Math.min(19, Math.floor((lat + 80) / 8)));
  function cut(metres) { return (digits ? " " : "") + String(Math.floor(metres % 1e5)).padStart(5, "0").slice(0, digits); }
  return String(zone).padStart(2, "0") + band + " " + column + row + cut(at.east) + cut(north);
}
