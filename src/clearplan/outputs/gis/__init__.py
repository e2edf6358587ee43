"""Tables to GeoPackage, QGIS, shapefiles, Parquet and CSV."""
