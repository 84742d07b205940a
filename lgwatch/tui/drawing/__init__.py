"""A graph drawn with box characters: layers, places, routes, and the picture of them."""
