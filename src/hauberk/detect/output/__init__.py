"""What is judged in a model's answer: leaks of its instructions, links, commands, calls of tools, refusals."""
