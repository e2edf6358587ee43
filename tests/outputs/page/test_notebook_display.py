"""A map in a notebook's cell: the output holds a page that opens in a browser without a network."""

import os

import pytest

from clearplan.outputs.page.html import MapPage, framed
from tests.browser import window
from tests.conftest import ROOT

CELL = """
import geopandas as gpd, pandas as pd, shapely
import clearplan as cp
from tests.conftest import E0, N0, UTM, zone_table
parts = {f"c_people_{part}": [1.0] for part in ("raw", "value", "weight", "points")}
tasks = gpd.GeoDataFrame(
    {"task_id": ["T1"], "queue": ["survey"], "land_class": ["SHA"], "district": ["it's \\"x\\" <&> 'y'"],
     "area_m2": [250000.0], "zone_ids": ["Z0"], "hazard_ids": ["H0"], "mgrs_km": ["38SNJ4512"],
     "position_error_m": [5.0],
     "source": ["</script><b>s"], "score": [50.0], "rank": pd.array([1], dtype="Int64"), "people_assumed": [0.0],
     "zones_unknown": [0], "deferred": [None], "recorded_on": [pd.NaT], **parts},
    geometry=[shapely.box(E0, N0, E0 + 500, N0 + 500)], crs=UTM)
cp.draw_map(cp.Layers(tasks, zone_table([{"geometry": shapely.Point(E0, N0 + 900)}])))
"""


@pytest.fixture(scope="module")
def output():
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL)])
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(ROOT / "src"), str(ROOT), before)))
    try:
        NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(ROOT)}}).execute()
    finally:
        os.environ.pop("PYTHONPATH") if before is None else os.environ.update(PYTHONPATH=before)
    (shown,) = (out for out in notebook.cells[0].outputs if out.output_type == "execute_result")
    return shown["data"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning", "ignore::RuntimeWarning")
@pytest.mark.browser
def test_cell_shows_a_map_that_opens_offline(output, tmp_path):
    assert output["text/plain"].startswith("MapPage(")
    assert len(output["text/plain"]) < 80
    assert len(output["text/html"]) < 400_000
    path = tmp_path / "cell.html"
    path.write_text(f"<!DOCTYPE html><html><body><script>var mine = 1;</script>{output['text/html']}</body></html>",
                    encoding="utf-8")  # fmt: skip
    with window(1000, 760, inner=("data:", "file:", "about:")) as (page, watch):
        page.goto(path.as_uri())
        inner = page.frame_locator("iframe")
        inner.locator("html[data-ready=yes]").wait_for(state="attached", timeout=20_000)
        assert inner.locator("#title").inner_text() == "Clearance map"
        assert inner.locator("#list button").count() == 1
        assert page.locator("iframe").bounding_box()["height"] >= 600
        # The frame can't reach into the notebook around it.
        reach = page.frames[1].evaluate(
            "(function () { try { return parent.mine; } catch (e) { return 'barred'; } })()"
        )
        assert reach == "barred"
        keep = ROOT / "test-output"
        keep.mkdir(exist_ok=True)
        page.screenshot(path=str(keep / "notebook_cell.png"))
    assert watch.requests == []
    assert watch.complaints == []


def test_frame_ends_only_where_it_must():
    text = framed("""<p title='a' class="b">&amp; &lt;</p></iframe>""")
    inner = text.partition("srcdoc='")[2].rpartition("'></iframe>")[0]
    assert "'" not in inner
    from html import unescape

    assert unescape(inner) == """<p title='a' class="b">&amp; &lt;</p></iframe>"""
    assert MapPage("x")._repr_html_() == framed("x")
    assert repr(MapPage("é" * 10**6)) == "MapPage(2.0 MB of HTML; save(path) writes it)"
