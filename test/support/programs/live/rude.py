"""Writes a file without its locks, again and again until SIGTERM: `rude.py HOW FILE ONE OTHER`.

`overwrite` and `rename` put one of two sound files, ONE and OTHER, in its place; `unix-none` and `unix-dotfile` write
the book (test/support/live/book.ts) through a VFS of SQLite that other programs do not see. It prints a line each time.
"""
import os
import random
import shutil
import signal
import sqlite3
import sys
import time

how, file, *others = sys.argv[1:]
signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
parent = os.getppid()
number = 0


def overwrite(source):
    """In place and piece by piece, and the time of the last write is set back."""
    before = os.stat(file)
    with open(source, "rb") as read, open(file, "r+b", buffering=0) as written:
        while piece := read.read(65536):
            written.write(piece)
        written.truncate()
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def rename(source):
    shutil.copy(source, file + ".new")
    os.rename(file + ".new", file)


def transact(database):
    database.execute("begin immediate")
    (seq,) = database.execute("select max(seq) + 1 from hist").fetchone()
    database.execute("insert into hist values (?, 'rude')", (seq,))
    database.execute("update acct set balance = balance - ? where id = ?", (seq, seq * 7919 % 1000))
    database.execute("update acct set balance = balance + ? where id = ?", (seq, seq * 104729 % 1000))
    if seq % 15 == 0:
        database.execute("update big set seq = ?, body = randomblob(2000)", (seq,))
    database.execute("commit")
    database.execute("pragma wal_checkpoint(truncate)")


if how.startswith("unix-"):
    database = sqlite3.connect(f"file:{file}?vfs={how}", uri=True, isolation_level=None)
    database.execute("pragma locking_mode = exclusive")
    database.execute("pragma synchronous = off")
    act = lambda: transact(database)
else:
    act = lambda: (overwrite if how == "overwrite" else rename)(others[number % 2])
while os.getppid() == parent:
    act()
    number += 1
    os.write(1, b'{"acts":%d}\n' % number)
    time.sleep(random.random() * 0.05)
