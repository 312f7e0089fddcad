"""Threads, and what waits for them."""

import asyncio
import concurrent.futures
import contextvars
import queue
import socket
import threading
import time

results = []


def sleep_and_append(number):
    time.sleep(0.04 * number)
    results.append(number)


threads = [threading.Thread(target=sleep_and_append, args=(i,)) for i in (3, 1, 2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(results, threading.active_count())

with concurrent.futures.ThreadPoolExecutor(4) as pool:
    print(sum(pool.map(lambda x: x * x, range(100))))
    failed = pool.submit(lambda: 1 / 0)
    print(type(failed.exception()).__name__)


async def overlap():
    start = time.monotonic()
    await asyncio.gather(*[asyncio.to_thread(time.sleep, 0.1) for _ in range(5)])
    return time.monotonic() - start < 0.4


print(asyncio.run(overlap()))


async def from_a_thread():
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    threading.Timer(0.02, loop.call_soon_threadsafe, [future.set_result, "called"]).start()
    return await future


print(asyncio.run(from_a_thread()))

# A thread that computes does not keep others from running.
stop = False


def compute():
    while not stop:
        pass


thread = threading.Thread(target=compute)
thread.start()
time.sleep(0.02)
stop = True
thread.join()
print("preempted")

local = threading.local()
local.value = "main"
variable = contextvars.ContextVar("variable", default="unset")
variable.set("main")
answers = queue.Queue()
threading.Thread(target=lambda: answers.put((hasattr(local, "value"), variable.get()))).start()
print(answers.get())

first, second = socket.socketpair()
thread = threading.Thread(target=lambda: answers.put(first.recv(100)))
thread.start()
time.sleep(0.01)
second.send(b"through a socket")
print(answers.get())
thread.join()

lock = threading.Lock()
with lock:
    start = time.monotonic()
    print(lock.acquire(timeout=0.05), time.monotonic() - start >= 0.04)
rlock = threading.RLock()
with rlock, rlock:
    thread = threading.Thread(target=lambda: answers.put(rlock.acquire(timeout=0.02)))
    thread.start()
    print(answers.get())
barrier = threading.Barrier(3)
order = []


def meet(name):
    barrier.wait()
    order.append(name)


threads = [threading.Thread(target=meet, args=(name,)) for name in "ab"]
for thread in threads:
    thread.start()
barrier.wait()
for thread in threads:
    thread.join()
print(sorted(order))


def fail():
    raise ValueError("in a thread")


seen = []
threading.excepthook = lambda args: seen.append(repr(args.exc_value))
thread = threading.Thread(target=fail)
thread.start()
thread.join()
print(seen)

try:
    threading.current_thread().join()
except RuntimeError as error:
    print(error)

# It must not keep the process from ending.
threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
print("end")
