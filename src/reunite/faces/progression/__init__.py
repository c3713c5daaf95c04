"""How somebody may look at another age: an illustration for people, never evidence.

Prototypes by sex and age (Burt and Perrett 1995; Rowland and Perrett 1995): the mean shape
and the mean skin of faces of one age are known, and a photo is moved by the difference of
two ages.  Nothing is invented by a network: every pixel of a preview was in the photo.

``engine.AgeProgression`` does all of it; ``prototypes`` holds the means, ``mesh`` finds the
468 points, ``warping`` moves pixels, ``sheet`` composes and marks what people get to see.
"""
