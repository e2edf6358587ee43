"""Sheets of paper in millimetres: a map frame at its stated scale, grid, scale bar, norths, and text that fits.

A figure is as large as its paper. ``page`` is an axes over all of it that counts millimetres from the lower left; a map
is an axes of its own, whose metres stand to its millimetres as the scale says.
"""

from __future__ import annotations

import datetime as dt
import io
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from clearplan.core.crs import declination_deg, operation, parse_crs, plane_crs, plane_factors
from clearplan.core.errors import CrsError, OutputError, SettingsError
from clearplan.core.writing import whole
from clearplan.geo.coordinates import mgrs_square
from clearplan.outputs.charts.style import INK, STYLE
from clearplan.outputs.paper.lettering import put_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Coordinate = TypeVar("Coordinate", float, NDArray[np.float64])

#: Width and height of paper standing upright [mm] (ISO 216).
PAPERS = {"A4": (210.0, 297.0), "A3": (297.0, 420.0)}
#: Scales of printed maps, 1 to so much.
SCALES = (
    1_000,
    2_500,
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    750_000,
    1_000_000,
    1_500_000,
    2_500_000,
    5_000_000,
    10_000_000,
)
#: Ground of a map where nothing is drawn: unknown land is not white.
PAPER = "#F5F4EF"
MM = 25.4  # millimetres an inch
_DPI = 200
#: Letters as text that programs can find and copy; hatches thin enough for print.
_PRINT = STYLE | {
    "pdf.fonttype": 42,
    "hatch.linewidth": 0.55,
    "axes.spines.top": True,
    "axes.spines.right": True,
    "path.simplify": False,
    "savefig.facecolor": "white",
}


@dataclass(frozen=True)
class Frame:
    """A map on paper: ``box`` (left, bottom, width, height) [mm], ``centre`` [m] in ``crs``, at 1 to ``scale``."""

    crs: CRS
    centre: tuple[float, float]
    scale: float
    box: tuple[float, float, float, float]

    @property
    def metres_per_mm(self) -> float:
        """Ground that a millimetre shows [m/mm].

        >>> Frame(CRS.from_epsg(32638), (0, 0), 50_000, (0, 0, 100, 100)).metres_per_mm
        50.0
        """
        return self.scale / 1000

    @property
    def extent(self) -> tuple[float, float, float, float]:
        """West, south, east and north of the ground that it shows [m]."""
        half_x, half_y = (side / 2 * self.metres_per_mm for side in self.box[2:])
        x, y = self.centre
        return x - half_x, y - half_y, x + half_x, y + half_y

    def place(self, x: Coordinate, y: Coordinate) -> tuple[Coordinate, Coordinate]:
        """Where a point of the ground lies on the page [mm]."""
        west, south, _, _ = self.extent
        left, bottom, _, _ = self.box
        return left + (x - west) / self.metres_per_mm, bottom + (y - south) / self.metres_per_mm


@contextmanager
def print_style() -> Iterator[None]:
    """Letters, lines and colours of sheets; figures are made and saved within it."""
    from matplotlib import rc_context

    with rc_context(_PRINT):  # type: ignore[arg-type]
        yield


def paper_size(paper: str, orientation: str) -> tuple[float, float]:
    """Width and height of a sheet [mm].

    Raises
    ------
    SettingsError
        The paper or its orientation is not known.

    >>> paper_size("A4", "landscape")
    (297.0, 210.0)
    """
    if paper not in PAPERS or orientation not in ("portrait", "landscape"):
        raise SettingsError(
            f"paper {paper!r}, orientation {orientation!r}: not known; give {' or '.join(PAPERS)}, and portrait or "
            "landscape"
        )
    width, height = PAPERS[paper]
    return (width, height) if orientation == "portrait" else (height, width)


def new_page(width: float, height: float) -> tuple[Figure, Axes]:
    """A figure of this size and the axes over all of it that counts millimetres [mm]."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width / MM, height / MM))
    page = figure.add_axes((0, 0, 1, 1), zorder=2)
    page.set(xlim=(0, width), ylim=(0, height))
    page.axis("off")
    return figure, page


def map_axes(figure: Figure, frame: Frame) -> Axes:
    """The axes of a map, at its true scale."""
    width, height = (float(side) * MM for side in figure.get_size_inches())
    left, bottom, wide, tall = frame.box
    axes = figure.add_axes((left / width, bottom / height, wide / width, tall / height), zorder=1)
    west, south, east, north = frame.extent
    axes.set(xlim=(west, east), ylim=(south, north), xticks=[], yticks=[], autoscale_on=False)
    axes.set_facecolor(PAPER)
    for spine in axes.spines.values():
        spine.set(color=INK, linewidth=0.9)
    return axes


def fitting_scale(width_m: float, height_m: float, box: tuple[float, float], scales: Sequence[int] = SCALES) -> int:
    """The first of the scales at which so much ground fits into a box (width, height) [mm].

    Raises
    ------
    SettingsError
        Not even the smallest scale shows all of it.

    >>> fitting_scale(9_000, 4_000, (180, 200))
    50000
    """
    needed = 1000 * max(width_m / box[0], height_m / box[1])
    for scale in scales:
        if scale >= needed * (1 - 1e-9):
            return scale
    raise SettingsError(f"{width_m / 1000:,.0f} km x {height_m / 1000:,.0f} km fit no sheet; name a smaller extent")


def scale_words(scale: float) -> str:
    """A scale as it is printed.

    >>> scale_words(50_000)
    '1:50 000'
    """
    return f"1:{scale:,.0f}".replace(",", " ")


# --- grid ----------------------------------------------------------------------------------------------------------


def grid_step(scale: float) -> int:
    """Distance between grid lines [m]: a power of ten, or twice or five times one, 18 mm apart on paper at least.

    >>> [grid_step(scale) for scale in (5_000, 25_000, 50_000, 250_000)]
    [100, 500, 1000, 5000]
    """
    least = 18 * scale / 1000
    power = 10 ** math.floor(math.log10(least))
    return int(next(step * power for step in (1, 2, 5, 10) if step * power >= least - 1e-6))


def draw_grid(axes: Axes, page: Axes, frame: Frame) -> str:
    """Lines of the UTM grid with their MGRS figures at the frame and the letters of the 100-km squares; its name.

    Figures are those of a grid reference: kilometres within the 100-km square, and hundreds of metres where lines
    stand nearer. The grid is that of the zone at the map's centre; on a map in another CRS its lines lean.
    """
    utm, zone = _utm_of(frame)
    step = grid_step(frame.scale)
    there, back = operation(frame.crs, utm)[0], operation(utm, frame.crs)[0]
    edge = shapely.get_coordinates(shapely.segmentize(shapely.box(*frame.extent).exterior, frame.scale / 100))
    east, north = there.transform(edge[:, 0], edge[:, 1])
    spans = [(min(east), max(east)), (min(north), max(north))]
    ground = shapely.box(*frame.extent)
    for axis in (0, 1):
        across = np.linspace(*spans[1 - axis], 40)
        for at in np.arange(math.ceil(spans[axis][0] / step) * step, spans[axis][1], step):
            pair = (np.full(40, at), across) if axis == 0 else (across, np.full(40, at))
            line = shapely.LineString(np.column_stack(back.transform(*pair))).intersection(ground)
            if line.is_empty or line.geom_type != "LineString":
                continue
            xy = shapely.get_coordinates(line)
            whole_square = at % 100_000 == 0
            axes.plot(
                xy[:, 0], xy[:, 1], color="#30507a", lw=0.8 if whole_square else 0.35, alpha=0.75, zorder=6, gid="grid"
            )
            _grid_labels(page, frame, axis, float(at), step, xy)
    squares = _square_letters(axes, frame, there)
    return f"UTM {zone} (WGS 84), lines every {_distance(step)}; figures as in MGRS, 100-km squares {squares}"


def _utm_of(frame: Frame) -> tuple[CRS, str]:
    code = frame.crs.to_epsg() or 0
    if not (32600 < code <= 32660 or 32700 < code <= 32760):
        wgs84 = parse_crs("EPSG:4326")
        lon, lat = operation(frame.crs, wgs84)[0].transform(*frame.centre)
        code = int(plane_crs(wgs84, lon).to_epsg() or 0) + (100 if lat < 0 else 0)
    return parse_crs(f"EPSG:{code}"), f"zone {code % 100}{'N' if code < 32700 else 'S'}"


def _grid_labels(page: Axes, frame: Frame, axis: int, at: float, step: int, xy: NDArray[np.float64]) -> None:
    """Figures of a line where it meets the frame."""
    left, bottom, wide, tall = frame.box
    within = at % 100_000
    figure = (
        f"{within / 1000:02.0f}" if step >= 1000 else f"{within / 100:03.0f}" if step >= 100 else f"{within / 10:04.0f}"
    )
    ends = sorted((frame.place(*xy[0]), frame.place(*xy[-1])), key=lambda end: end[1 - axis])
    for (x, y), last in zip(ends, (False, True), strict=True):
        near = abs(y - (bottom + tall * last)) < 0.1 if axis == 0 else abs(x - (left + wide * last)) < 0.1
        if not near:
            continue
        away = 1.2 if last else -1.2
        where: dict[str, Any] = (
            {"x": x, "y": y + away, "ha": "center", "va": "bottom" if last else "top"}
            if axis == 0
            else {"x": x + away, "y": y, "ha": "left" if last else "right", "va": "center"}
        )
        page.text(s=figure, fontsize=6.5, color="#30507a", **where)


def _square_letters(axes: Axes, frame: Frame, there: Any) -> str:
    """The 100-km squares on the map in words; where there are several, pale letters in the middle of each."""
    west, south, east, north = frame.extent
    x, y = np.meshgrid(np.linspace(west, east, 25)[1:-1], np.linspace(south, north, 25)[1:-1])
    e, n = there.transform(x.ravel(), y.ravel())
    square = np.column_stack([np.floor(e / 1e5), np.floor(n / 1e5)])
    names: list[str] = []
    every = np.unique(square, axis=0)
    for own in every:
        inside = (square == own).all(axis=1)
        at_x, at_y = x.ravel()[inside].mean(), y.ravel()[inside].mean()
        lon, lat = operation(frame.crs, parse_crs("EPSG:4326"))[0].transform(at_x, at_y)
        names.append(mgrs_square(lon, lat, 0))
        if len(every) > 1 and inside.mean() > 0.04:
            axes.text(
                at_x,
                at_y,
                names[-1],
                fontsize=12,
                color="#30507a",
                alpha=0.3,
                ha="center",
                va="center",
                zorder=2.5,
                fontweight="bold",
            )
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _distance(metres: float) -> str:
    return f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"


# --- scale bar and norths ------------------------------------------------------------------------------------------


def draw_scale_bar(page: Axes, frame: Frame, x: float, y: float, room: float = 50.0) -> float:
    """A bar of four parts, its lower left at x, y, no longer than ``room`` [mm]; its length on paper [mm]."""
    from matplotlib.patches import Rectangle

    least = room * frame.metres_per_mm
    power = 10 ** math.floor(math.log10(least))
    length = float(next(step * power for step in (5, 4, 2, 1) if step * power <= least))
    part = length / 4 / frame.metres_per_mm
    for k in range(4):
        page.add_patch(
            Rectangle((x + k * part, y), part, 1.6, fc=INK if k % 2 == 0 else "white", ec=INK, lw=0.6, gid="scale-bar")
        )
    unit, per = ("km", 1000.0) if length >= 2000 else ("m", 1.0)
    for k in (0, 2, 4):
        words = f"{length * k / 4 / per:g}" + (f" {unit}" if k == 4 else "")
        page.text(x + k * part, y + 2.2, words, fontsize=6.5, ha="center", va="bottom")
    page.text(
        x, y - 1.0, f"{scale_words(frame.scale)}: 1 cm on paper is {_distance(frame.scale / 100)}", fontsize=7, va="top"
    )
    return 4 * part


def norths(frame: Frame, as_at: dt.date) -> tuple[float, float | None]:
    """Bearings on the map of true and of magnetic north at its centre, clockwise from its upper edge [degrees].

    Magnetic north is None where the model of the field does not know the day. The sources are those of
    :func:`clearplan.core.crs.plane_factors` and :func:`clearplan.core.crs.declination_deg`.
    """
    x, y = frame.centre
    convergence = math.degrees(float(plane_factors(frame.crs, [x], [y]).convergence[0]))
    lon, lat = operation(frame.crs, parse_crs("EPSG:4326"))[0].transform(x, y)
    try:
        declination = float(np.ravel(declination_deg([lon], [lat], as_at))[0])
    except CrsError:
        return -convergence, None
    return -convergence, declination - convergence


def draw_norths(page: Axes, frame: Frame, as_at: dt.date, x: float, y: float, width: float) -> float:
    """Arrows to grid, true and magnetic north with their angles in words; upper left at x, y [mm]; the height used."""
    true, magnetic = norths(frame, as_at)
    drawn = [("GN", 0.0), ("TN", true)] + ([] if magnetic is None else [("MN", magnetic)])
    most = max(abs(angle) for _, angle in drawn)
    times = max(1.0, min(3.0, 24.0 / most)) if most else 1.0  # a degree can't be seen on an arrow of 2 cm
    foot_x, foot_y, long = x + 9.0, y - 17.5, 13.0
    for name, angle in drawn:
        turn = math.radians(angle * times)
        reach = long - (4.5 if name == "TN" else 0.0)
        tip = foot_x + reach * math.sin(turn), foot_y + reach * math.cos(turn)
        page.annotate(
            "",
            tip,
            (foot_x, foot_y),
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-|>,head_width=0.16,head_length=0.32",
                "lw": 0.8,
                "color": INK,
                "shrinkA": 0,
                "shrinkB": 0,
                "ls": (0, (4, 1.5)) if name == "MN" else "-",
            },
        )
        side = -1 if angle < 0 else 1 if angle > 0 else 0
        page.text(
            tip[0] + 1.2 * side,
            tip[1] + 0.6,
            name,
            fontsize=6,
            ha=("right", "center", "left")[side + 1],
            va="bottom",
            fontweight="bold" if name == "GN" else "normal",
        )
    words = ["GN: grid north, up", f"TN: true north, {_turn(true)}"]
    if magnetic is None:
        words.append(f"Magnetic north: the field of {as_at} is not known; ask for the declination")
    else:
        words += [
            f"MN: magnetic north, {_turn(magnetic)}",
            f"Declination {_turn(magnetic - true)}",
            f"on {as_at} (IGRF-14)",
            f"Grid bearing = compass {'+' if magnetic >= 0 else '−'} {abs(magnetic):.1f}°",
        ]
    if times > 1.05:
        words.append(f"Angles drawn x {times:.2g}")
    return max(put_text(page, x + 20, y - 1.5, words, width - 20, 6.3) + 1.5, 19.5)


def _turn(angle: float) -> str:
    """
    >>> _turn(-1.24), _turn(5.2)
    ('1.2° W', '5.2° E')
    """
    return f"{abs(angle):.1f}° {'E' if angle >= 0 else 'W'}"


# --- files ---------------------------------------------------------------------------------------------------------


def save_pages(path: str | Path, pages: Iterable[Figure], *, title: str, notice: str, as_at: dt.date) -> int:
    """Figures as the pages of a PDF, or one of them as a PNG of 200 dots an inch; how many there are.

    The same figures make the same bytes; ``as_at`` stands in the file instead of the clock.

    Raises
    ------
    OutputError
        The name ends otherwise, the file can't be written, or there is not one page for a PNG.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in (".pdf", ".png"):
        raise OutputError(f"{path}: does not end with .pdf or .png; name a .pdf file")
    count = 0
    with whole(path) as fresh:
        if kind == ".png":
            made = list(pages)
            if len(made) != 1:
                raise OutputError(f"{path}: a PNG holds one page, and these are {len(made)}; name a .pdf file")
            fresh.write_bytes(_png(made[0], title, notice))
            return 1
        from matplotlib.backends.backend_pdf import PdfPages

        day = dt.datetime(as_at.year, as_at.month, as_at.day, tzinfo=dt.UTC)
        told = {
            "Title": title,
            "Subject": notice,
            "Creator": "clearplan",
            "Producer": "clearplan",
            "CreationDate": day,
            "ModDate": day,
        }
        # Into memory first: on a full disk, the end of the book would raise an error of its own over the disk's.
        out = io.BytesIO()
        with PdfPages(out, metadata=told) as book:
            for figure in pages:
                book.savefig(figure)
                count += 1
        fresh.write_bytes(out.getbuffer())
    return count


def _png(figure: Figure, title: str, notice: str) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    out = io.BytesIO()
    told = {"Software": "clearplan", "Title": title, "Description": notice}
    FigureCanvasAgg(figure).print_figure(out, dpi=_DPI, format="png", metadata=told)
    return out.getvalue()
