"""What is counted is cut to the ground of a state, and what lies beyond is listed: nothing is lost."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from clearplan.core.errors import CrsError, SettingsError
from clearplan.land.jurisdiction import ground_of_state, within_state
from tests.conftest import E0, N0, UTM


def square(x, y, wide):
    return shapely.box(E0 + x, N0 + y, E0 + x + wide, N0 + y + wide)


def areas(*geometries):
    ids = [f"A{k}" for k in range(len(geometries))]
    return gpd.GeoDataFrame({"area_id": ids}, geometry=list(geometries), crs=UTM)


def test_ground_is_cut_at_the_border_and_the_rest_is_listed():
    table = areas(square(0, 0, 100), square(150, 0, 100), square(300, 0, 100), None)
    left, beyond = within_state(table, square(-50, -50, 250), name="areas")  # to x = 200
    assert left["area_id"].tolist() == ["A0", "A1", "A3"]
    assert left.geometry.area.tolist()[:2] == pytest.approx([10_000, 5_000])
    assert left.geometry.iloc[2] is None
    assert beyond.to_numpy().tolist() == [["A1", 5_000, 5_000], ["A2", 0, 10_000]]
    assert left.geometry.iloc[0].equals_exact(table.geometry.iloc[0])  # what does not cross is not touched
    assert len(table) == 4


squares = st.tuples(st.integers(-300, 300), st.integers(-300, 300), st.integers(1, 400)).map(lambda at: square(*at))


@given(drawn=st.lists(squares, max_size=8), ground=st.lists(squares, min_size=1, max_size=3))
@settings(max_examples=60, deadline=None)
def test_inside_and_beyond_add_up(drawn, ground):
    table, state = areas(*drawn), shapely.union_all(ground)
    left, beyond = within_state(table, state, name="areas")
    whole = dict(zip(table["area_id"], shapely.area(table.geometry.to_numpy()), strict=True))
    inside = dict(zip(left["area_id"], shapely.area(left.geometry.to_numpy()), strict=True))
    listed = dict(zip(beyond["area_id"], beyond["beyond_m2"], strict=True))
    for area, m2 in whole.items():
        assert inside.get(area, 0) + listed.get(area, 0) == pytest.approx(m2, rel=1e-6)
        expected = shapely.intersection(table.geometry[table["area_id"] == area].iloc[0], state).area
        assert inside.get(area, 0) == pytest.approx(expected, rel=1e-6)
    union = shapely.union_all(left.geometry.to_numpy())
    assert shapely.difference(union, state).area == pytest.approx(0, abs=1e-6)


def test_a_state_of_several_rows_and_its_islands():
    layer = gpd.GeoDataFrame(
        {"name": ["Ruritania", "Ruritania", "Elsewhere"]},
        geometry=[square(0, 0, 10), square(50, 0, 10), square(100, 0, 10)],
        crs=UTM,
    )
    assert ground_of_state(layer, "Ruritania").area == pytest.approx(200)
    with pytest.raises(SettingsError, match="no country is called 'Atlantis'; the layer of countries has Elsewhere, R"):
        ground_of_state(layer, "Atlantis")
    with pytest.raises(SettingsError, match="no column 'land'; it has name"):
        ground_of_state(layer, "Ruritania", name="land")
    with pytest.raises(CrsError):
        ground_of_state(layer.to_crs(4326), "Ruritania")


def test_nothing_within_leaves_nothing_but_the_list():
    left, beyond = within_state(areas(square(0, 0, 10)), square(900, 900, 10), name="areas")
    assert len(left) == 0
    assert np.isclose(beyond["beyond_m2"].sum(), 100)
