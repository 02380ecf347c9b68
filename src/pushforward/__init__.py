"""Pushforward: families are trained by the engine on data, evaluated and reported."""
