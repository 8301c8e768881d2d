"""Writes the book (test/support/live/book.ts) with the SQLite of Python. See orders.ts for its argument."""
import fcntl
import json
import os
import random
import signal
import sqlite3
import struct
import sys
import time

orders = json.loads(sys.argv[1])
ack = os.open(orders["acknowledged"], os.O_RDWR)
turn = os.open(orders["turn"], os.O_RDWR) if orders["turn"] else None
go_on = [True]
signal.signal(signal.SIGTERM, lambda *_: go_on.clear())
parent = os.getppid()
where = "open"


def say(line):
    os.write(1, (json.dumps(line) + "\n").encode())


def report(error):
    say({"error": where + " " + getattr(error, "sqlite_errorname", str(error))})


def opened():
    database = sqlite3.connect(orders["file"], timeout=orders["timeoutMs"] / 1000, isolation_level=None)
    database.execute("pragma synchronous = normal")
    database.execute("pragma cache_size = 10")
    return database


def commit(database):
    """With a rollback journal a commit without a busy timeout may be refused beside any reader: it is tried again."""
    for attempt in range(2001):
        try:
            return database.execute("commit")
        except sqlite3.Error as error:
            if attempt == 2000 or not database.in_transaction:
                raise
            if attempt == 0:
                report(error)
            time.sleep(0.002)


def write(database):
    """True if it was committed."""
    global where
    where = "read"
    database.execute("select count(*) from acct").fetchone()
    where = "begin"
    database.execute("begin immediate")
    where = "in transaction"
    if random.random() < 0.06:
        database.execute("update big set seq = -1, body = randomblob(2000)")
        database.execute("update big set seq = -2, body = randomblob(2000)")
        database.execute("insert into hist values (-1, '')")
        database.execute("rollback")
        return False
    (seq,) = database.execute("select max(seq) + 1 from hist").fetchone()
    if seq % 15 == 0:  # As `chapter` of the book. Twice, so that spilled frames are written again in place.
        database.execute("update big set seq = -3, body = randomblob(2000)")
        database.execute("update big set seq = ?, body = randomblob(2000)", (seq,))
    database.execute("insert into hist values (?, 'python')", (seq,))
    database.execute("update acct set balance = balance - ? where id = ?", (seq, seq * 7919 % 1000))
    database.execute("update acct set balance = balance + ? where id = ?", (seq, seq * 104729 % 1000))
    where = "commit"
    commit(database)
    os.pwrite(ack, struct.pack("<d", seq), 0)
    return True


say({"ready": True, "pid": os.getpid(), "sqlite": sqlite3.sqlite_version})
committed = rolled_back = 0
database = None
while go_on and os.getppid() == parent and committed != orders["transactions"]:
    try:
        if turn is not None:
            fcntl.lockf(turn, fcntl.LOCK_EX)
        where = "open"
        database = database or opened()
        if write(database):
            committed += 1
        else:
            rolled_back += 1
        if orders["manner"] == "reopens":
            where = "close"
            database.close()
            database = None
    except sqlite3.Error as error:
        report(error)
        if database and database.in_transaction:
            database.execute("rollback")
    finally:
        if turn is not None:
            fcntl.lockf(turn, fcntl.LOCK_UN)
    time.sleep(orders["pauseMs"] / 1000)
if database:
    if turn is not None:
        fcntl.lockf(turn, fcntl.LOCK_EX)
    database.close()
say({"totals": {"committed": committed, "rolledBack": rolled_back}})
