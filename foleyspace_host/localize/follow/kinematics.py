"""How a seen thing moves: a velocity that wanders and fades, filtered forwards and smoothed backwards.

Each coordinate is an integrated Ornstein-Uhlenbeck process: its velocity has a known spread and forgets
itself with a time constant. Over a fraction of a second that is constant velocity; over a gap or beyond the
last sighting it comes to rest, where constant velocity would run away.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Belief", "Wander"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Belief:
    """A Gaussian belief about positions and velocities of independent coordinates.

    Parameters
    ----------
    mean : ndarray, shape (n, 2)
        Position and velocity of each coordinate.
    covariance : ndarray, shape (n, 2, 2)
        Their covariance.
    """

    mean: Array
    covariance: Array

    @property
    def position(self) -> Array:
        """Positions, shape (n,)."""
        return self.mean[:, 0]

    @property
    def deviation(self) -> Array:
        """Standard deviations of the positions, shape (n,)."""
        return np.sqrt(self.covariance[:, 0, 0])


@dataclass(frozen=True, slots=True)
class Wander:
    """The process: how fast coordinates move, and for how long.

    Parameters
    ----------
    speed : ndarray, shape (n,)
        Standard deviation of each velocity [units/s].
    memory_s : float
        Time after which a velocity is forgotten to 1/e [s].
    """

    speed: Array
    memory_s: float

    def first(self, position: Array, deviation: Array) -> Belief:
        """Return the belief after one sighting, with the process's own spread of velocities.

        Parameters
        ----------
        position, deviation : ndarray, shape (n,)
            What was seen, and its standard deviation.

        Returns
        -------
        Belief
        """
        covariance = np.zeros((len(position), 2, 2))
        covariance[:, 0, 0], covariance[:, 1, 1] = deviation**2, self.speed**2
        return Belief(np.stack([position, np.zeros_like(position)], axis=1), covariance)

    def transition(self, step_s: float) -> tuple[Array, Array]:
        """Return the transition matrix (2, 2) and the process noise (n, 2, 2) over a time step.

        Parameters
        ----------
        step_s : float
            Time step, not negative [s].

        Returns
        -------
        transition, noise : ndarray
            Exact for the process: with a = exp(-dt/T), noise of the velocity s^2 (1 - a^2), of both
            s^2 T (1 - a)^2, of the position s^2 T^2 (2 dt/T - 3 + 4 a - a^2).
        """
        memory = self.memory_s
        fade = float(np.exp(-step_s / memory))
        both = memory * (1 - fade) ** 2
        # the difference of nearly equal terms can come out a hair below zero for tiny steps
        position = max(memory**2 * (2 * step_s / memory - 3 + 4 * fade - fade**2), 0.0)
        unit = np.array([[position, both], [both, 1 - fade**2]])
        return np.array([[1.0, memory * (1 - fade)], [0.0, fade]]), self.speed[:, None, None] ** 2 * unit

    def predict(self, belief: Belief, step_s: float) -> Belief:
        """Return the belief a time step later [s]."""
        move, noise = self.transition(step_s)
        return Belief(belief.mean @ move.T, move @ belief.covariance @ move.T + noise)

    def update(self, belief: Belief, position: Array, deviation: Array) -> Belief:
        """Return the belief after a sighting at the same time.

        Parameters
        ----------
        belief : Belief
            Belief before.
        position, deviation : ndarray, shape (n,)
            What was seen and its standard deviation; infinite where a coordinate was not seen.

        Returns
        -------
        Belief
        """
        cov = belief.covariance
        gain = cov[:, :, 0] / (cov[:, 0, 0] + deviation**2)[:, None]
        mean = belief.mean + gain * (position - belief.position)[:, None]
        return Belief(mean, cov - gain[:, :, None] * cov[:, 0, None, :])

    def likelihood(self, time_s: Array, position: Array, deviation: Array) -> float:
        """Return how well the process predicts what was seen, each time from what was seen before.

        Parameters
        ----------
        time_s, position, deviation
            As for `smooth`.

        Returns
        -------
        float
            Sum of the logarithms of the densities, to a constant.
        """
        seen = np.isfinite(deviation)
        position = np.where(seen, position, 0.0)
        first = position[np.argmax(seen, axis=0), np.arange(position.shape[1])]
        belief = self.update(self.first(first, np.full(len(first), 1e3)), position[0], deviation[0])
        total = 0.0
        for step in range(1, len(time_s)):
            belief = self.predict(belief, float(time_s[step] - time_s[step - 1]))
            variance = belief.deviation**2 + deviation[step] ** 2
            miss = (position[step] - belief.position) ** 2 / variance
            # one wrong box in a hundred must not decide
            total -= float(0.5 * np.minimum(miss + np.log(variance), 20.0)[seen[step]].sum())
            belief = self.update(belief, position[step], deviation[step])
        return total

    def smooth(self, time_s: Array, position: Array, deviation: Array) -> tuple[Array, Array]:
        """Estimate the whole path from all sightings, later ones included (Rauch, Tung and Striebel 1965).

        Parameters
        ----------
        time_s : ndarray, shape (m,)
            Increasing times [s]; at least one with a sighting.
        position, deviation : ndarray, shape (m, n)
            What was seen and its standard deviation; infinite where nothing was seen.

        Returns
        -------
        position, deviation : ndarray, shape (m, n)
            Smoothed positions and their standard deviations.
        """
        seen = np.isfinite(deviation)
        position = np.where(seen, position, 0.0)
        first = position[np.argmax(seen, axis=0), np.arange(position.shape[1])]
        # before anything is seen the position is anywhere; 1e3 is far more than any picture or log size
        belief = self.update(self.first(first, np.full(len(first), 1e3)), position[0], deviation[0])
        # of an hour these are arrays of a few megabytes; as objects they would be ten times that
        n_steps, n = position.shape
        means, covariances = np.empty((n_steps, n, 2)), np.empty((n_steps, n, 2, 2))
        means_ahead, covariances_ahead = means.copy(), covariances.copy()
        moves = np.empty((n_steps, 2, 2))
        means[0], covariances[0] = belief.mean, belief.covariance
        for step in range(1, n_steps):
            moves[step], noise = self.transition(float(time_s[step] - time_s[step - 1]))
            ahead = Belief(belief.mean @ moves[step].T, moves[step] @ belief.covariance @ moves[step].T + noise)
            belief = self.update(ahead, position[step], deviation[step])
            means[step], covariances[step] = belief.mean, belief.covariance
            means_ahead[step], covariances_ahead[step] = ahead.mean, ahead.covariance
        back = covariances[:-1] @ moves[1:, None].transpose(0, 1, 3, 2) @ np.linalg.inv(covariances_ahead[1:])
        for step in range(n_steps - 2, -1, -1):
            gain = back[step]
            means[step] += np.einsum("nij,nj->ni", gain, means[step + 1] - means_ahead[step + 1])
            change = covariances[step + 1] - covariances_ahead[step + 1]
            covariances[step] += gain @ change @ gain.transpose(0, 2, 1)
        return means[..., 0].copy(), np.sqrt(covariances[..., 0, 0])
