"""How colours look to readers who see no red, no green or no blue, and the contrast between two colours."""

import numpy as np

#: Machado, Oliveira and Fernandes 2009, "A physiologically-based model for simulation of color vision deficiency",
#: IEEE TVCG 15(6), table 1, severity 1.0; for linear RGB.
MACHADO = {
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def linear(rgb):
    """sRGB of 0 to 1 as linear light (IEC 61966-2-1)."""
    rgb = np.asarray(rgb, dtype=float)
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def encoded(light):
    light = np.clip(light, 0.0, 1.0)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def seen(rgb, kind):
    """sRGB as a reader of that kind sees it."""
    return encoded(linear(rgb) @ np.array(MACHADO[kind]).T)


def rgb_of(text):
    """#RRGGBB as sRGB of 0 to 1."""
    return np.array([int(text[k : k + 2], 16) / 255 for k in (1, 3, 5)])


def luminance(rgb):
    return float(linear(rgb) @ [0.2126, 0.7152, 0.0722])


def contrast(one, other):
    """WCAG 2.2, "contrast ratio"."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)
