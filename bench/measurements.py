"""What Google Benchmark and peers.py measured."""
import json
import re


class Measurements:
    """Counters by build and benchmark, and the context of each build."""

    def __init__(self, folder):
        self.counters, self.contexts = {}, {}
        for file in sorted(folder.glob("*.json")):
            build = file.stem.split("-")[0]
            content = json.loads(file.read_text())
            self.contexts.setdefault(build, {}).update(content["context"])
            for run in content["benchmarks"]:
                if not run.get("error_occurred"):
                    self.counters[build, re.sub(r"/(iterations:\d+|manual_time)", "", run["name"])] = run

    def __call__(self, build, name, counter="of peak"):
        return self.counters.get((build, name), {}).get(counter)

    def least(self, build, pattern, counter):
        """Of all benchmarks whose names match."""
        found = [run[counter] for (of, name), run in self.counters.items() if of == build and re.fullmatch(pattern, name)]
        return min(found, default=None)
