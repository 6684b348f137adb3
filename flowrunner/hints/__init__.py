"""Type hints of task functions: the JSON that they take, and the objects that they get."""
