"""A closed mesh of triangles over directions, and the triangle that a direction lies in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from foleyspace_host.kernels import lines

__all__ = ["DirectionMesh", "build_mesh", "locate"]


@dataclass(frozen=True, slots=True)
class DirectionMesh:
    """Spherical Delaunay triangles over directions.

    Parameters
    ----------
    unit : ndarray, float64, shape (n_vertices, 3)
        Directions of the vertices.
    triangles : ndarray, int32, shape (n_triangles, 3)
        Vertices of each triangle.
    neighbours : ndarray, int32, shape (n_triangles, 3)
        Triangle across the edge opposite to each vertex.
    inverse : ndarray, float64, shape (n_triangles, 3, 3)
        Matrix that turns a direction into coordinates along the three vertices.
    """

    unit: NDArray[np.float64]
    triangles: NDArray[np.int32]
    neighbours: NDArray[np.int32]
    inverse: NDArray[np.float64]

    @classmethod
    def of(
        cls, unit: NDArray[np.float64], triangles: NDArray[np.int32], neighbours: NDArray[np.int32]
    ) -> DirectionMesh:
        """Return the mesh with its matrices, of triangles that are anticlockwise as seen from outside."""
        a, b, c = (unit[triangles[:, corner]] for corner in range(3))
        # Cramer's rule; slivers between points on one great circle have no volume and are never walked into
        normals = np.stack([np.cross(b, c), np.cross(c, a), np.cross(a, b)], axis=1)
        volume = np.maximum((a * normals[:, 0]).sum(axis=1), 1e-15)
        return cls(unit, triangles, neighbours, normals / volume[:, None, None])

    def vertex_areas(self) -> NDArray[np.float64]:
        """Solid angle around each vertex: a third of the triangles it belongs to [sr], 4 pi in all."""
        a, b, c = (self.unit[self.triangles[:, corner]] for corner in range(3))
        # van Oosterom & Strackee 1983
        volume = np.abs((a * np.cross(b, c)).sum(axis=1))
        denominator = 1.0 + (a * b).sum(axis=1) + (b * c).sum(axis=1) + (c * a).sum(axis=1)
        area = 2.0 * np.arctan2(volume, denominator)
        areas: NDArray[np.float64] = np.zeros(len(self.unit))
        np.add.at(areas, self.triangles.ravel(), np.repeat(area / 3.0, 3))
        return areas

    def edges(self) -> NDArray[np.int32]:
        """Edges, each once: pairs of vertices, shape (n_edges, 2)."""
        here = np.arange(len(self.triangles))[:, None]
        triangle, corner = np.nonzero(here < self.neighbours)  # of the two triangles at an edge, the first
        return np.stack(
            [self.triangles[triangle, (corner + 1) % 3], self.triangles[triangle, (corner + 2) % 3]], axis=1
        )


def build_mesh(unit: NDArray[np.float64]) -> DirectionMesh:
    """Triangulate directions; the convex hull of points on a sphere is their Delaunay triangulation.

    Parameters
    ----------
    unit : ndarray, shape (n_vertices, 3)
        Distinct directions that surround the origin.

    Returns
    -------
    DirectionMesh
    """
    from scipy.spatial import ConvexHull

    hull = ConvexHull(unit)
    triangles, neighbours = hull.simplices.astype(np.int32), hull.neighbors.astype(np.int32)
    a, b, c = (unit[triangles[:, corner]] for corner in range(3))
    clockwise = (a * np.cross(b, c)).sum(axis=1) < 0.0
    for corners in (triangles, neighbours):
        corners[clockwise] = corners[clockwise][:, [0, 2, 1]]
    return DirectionMesh.of(unit, triangles, neighbours)


def locate(
    direction: NDArray[np.float64],
    start: int,
    triangles: NDArray[np.int32],
    neighbours: NDArray[np.int32],
    inverse: NDArray[np.float64],
    triangle: NDArray[np.int32],
    weights: NDArray[np.float32],
) -> int:
    """Find the triangles and weights of directions, walking from each to the next.

    Parameters
    ----------
    direction : ndarray, float64, shape (n, 3)
        Unit vectors, contiguous; a path whose neighbours lie close is found fastest.
    start : int
        Triangle to walk from.
    triangles, neighbours, inverse : ndarray
        As in `DirectionMesh`.
    triangle : ndarray, int32, shape (n,)
        Filled with the triangle of each direction.
    weights : ndarray, float32, shape (n, 3)
        Filled with weights of its vertices: barycentric, not negative, sum 1.

    Returns
    -------
    int
        The last triangle, to go on from.
    """
    if len(triangles) != len(neighbours):
        raise ValueError(f"{len(neighbours)} neighbours of {len(triangles)} triangles")
    return lines.locate(direction, start, neighbours, inverse, triangle, weights)
