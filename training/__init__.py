"""What is learnt: recipes, data and export of the models that ship. Needs torch; never part of the package."""
