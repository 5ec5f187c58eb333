# SPDX-License-Identifier: BSD-3-Clause
"""A lab is where one measurement takes place: what is started and made in it goes with it."""

import json
import pathlib
import shutil
import signal
import subprocess
import time

from benchmarks import machine


class Skip(Exception):
    """This cannot be measured here; the text says why."""


class Failed(Exception):
    """Something did not work; the text says what."""


class Lab:
    """Use as a context. seconds: how long a rate is taken; quick: time is not what counts."""

    def __init__(self, seconds, quick):
        self.seconds = seconds
        self.quick = quick
        self.dir = machine.SCRATCH / "lab"
        self.cache = machine.SCRATCH / "cache"  # outlives the lab
        self.processes = []
        self.namespaces = []

    def __enter__(self):
        self.dir.mkdir()
        self.cache.mkdir(exist_ok=True)
        return self

    def __exit__(self, *exception):
        for process in reversed(self.processes):
            self.end(process)
        for name in self.namespaces:
            self._run(["ip", "netns", "delete", name])
        for link in self.links():
            self._run(["ip", "link", "delete", link])
        shutil.rmtree(self.dir, ignore_errors=True)

    @staticmethod
    def _run(command):
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)

    def links(self):
        """Names of the devices outside the containers."""
        return [link["ifname"] for link in json.loads(self.run("ip", "-j", "link"))]

    def received(self, namespace):
        """Packets that the devices of a container have received."""
        links = json.loads(self.run("ip", "-n", namespace, "-j", "-s", "link"))
        return sum(link["stats64"]["rx"]["packets"] for link in links if link["ifname"] != "lo")

    @staticmethod
    def words(command, namespace=None, cpu=None):
        """The command as it runs in a namespace (a container) and on a CPU."""
        front = ["ip", "netns", "exec", namespace] if namespace else []
        if cpu is not None:
            front += ["taskset", "-c", str(cpu)]
        return front + [str(word) for word in command]

    def run(self, *command, namespace=None, cpu=None, timeout=60, check=True):
        """Runs a command to its end. Returns what it printed."""
        words = self.words(command, namespace, cpu)
        try:
            done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                  timeout=timeout, check=False)
        except subprocess.TimeoutExpired:
            raise Failed("%s: no end after %d s" % (" ".join(words), timeout)) from None
        if check and done.returncode != 0:
            raise Failed("%s: %s" % (" ".join(words), (done.stderr or done.stdout).strip()[-2000:]))
        return done.stdout

    def spawn(self, *command, namespace=None, cpu=None, log=None, **options):
        """Starts a command that runs until the lab closes. Its output goes to the file log."""
        words = self.words(command, namespace, cpu)
        if log:
            with open(self.dir / log, "ab") as file:
                options.setdefault("stdout", file)
                options.setdefault("stderr", file)
                process = subprocess.Popen(words, stdin=options.pop("stdin", subprocess.DEVNULL),
                                           **options)
        else:
            process = subprocess.Popen(words, stdin=options.pop("stdin", subprocess.DEVNULL),
                                       **options)
        self.processes.append(process)
        return process

    @staticmethod
    def end(process, number=signal.SIGTERM):
        """Ends a process as a service manager would."""
        if process.poll() is None:
            process.send_signal(number)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()

    def keep_logs(self, folder):
        """Copies what was logged, for whoever looks for the cause of a failure."""
        for path in self.dir.rglob("*.log"):
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, folder / path.name)

    def log(self, name):
        """The end of a log, for an error message."""
        path = self.dir / name
        return path.read_text(errors="replace")[-3000:] if path.exists() else ""

    def wait(self, what, condition, seconds=20, alive=None):
        """Waits until condition() is true. A process that has to stay alive may be given."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                if condition():
                    return
            except Failed:
                pass
            if alive and alive.poll() is not None:
                raise Failed("%s: the process ended with status %d" % (what, alive.returncode))
            if time.monotonic() > deadline:
                raise Failed("%s: not after %d s" % (what, seconds))
            time.sleep(0.02)

    def namespace(self, name):
        """Makes a network namespace, as a container engine would."""
        self.run("ip", "netns", "add", name)
        self.namespaces.append(name)
        self.run("ip", "-n", name, "link", "set", "lo", "up")

    def adopt(self, device, namespace, address, name="eth0"):
        """Moves a device into a container."""
        self.run("ip", "link", "set", device, "netns", namespace, "name", name)
        if address:
            self.run("ip", "-n", namespace, "address", "add", address, "dev", name)
        self.run("ip", "-n", namespace, "link", "set", name, "up")

    def tool(self, name):
        path = machine.TOOLS / name
        if not path.exists():
            raise Failed("%s is not built: run scripts/build" % name)
        return path

    def cached(self, name, make):
        """A file that is made once in a run: make(path)."""
        path = self.cache / name
        if not path.exists():
            new = pathlib.Path(str(path) + ".new")
            make(new)
            new.rename(path)
        return path
