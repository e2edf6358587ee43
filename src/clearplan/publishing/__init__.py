"""Tables as a publication tier may see them."""
