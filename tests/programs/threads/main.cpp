// Threads of the C++ standard library, and exceptions in them.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <future>
#include <mutex>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

using namespace std::chrono_literals;

// Others throw while this one is in the middle of a handler.
static long throw_often(int thread)
{
    long sum = 0;
    for (int i = 0; i < 500; i++) {
        try {
            throw std::runtime_error(std::to_string(thread));
        } catch (const std::exception &) {
            std::this_thread::yield();
            try {
                throw thread + i;
            } catch (int value) {
                std::this_thread::yield();
                sum += value - i;
            }
            try {
                throw;
            } catch (const std::runtime_error &again) {
                sum += std::stol(again.what());
            }
        }
    }
    return sum;
}

int main()
{
    std::vector<std::thread> threads;
    std::mutex mutex;
    long sum = 0;
    for (int i = 0; i < 8; i++) {
        threads.emplace_back([&, i] {
            long thrown = throw_often(i);
            std::lock_guard lock(mutex);
            sum += thrown;
        });
    }
    for (auto &thread : threads) {
        thread.join();
    }
    std::printf("sum: %ld, uncaught: %d\n", sum, std::uncaught_exceptions());

    std::condition_variable ready;
    bool is_ready = false;
    std::thread waiter([&] {
        std::unique_lock lock(mutex);
        ready.wait(lock, [&] { return is_ready; });
        std::puts("woken");
    });
    {
        std::lock_guard lock(mutex);
        is_ready = true;
    }
    ready.notify_one();
    waiter.join();

    std::unique_lock lock(mutex);
    bool came = ready.wait_for(lock, 10ms, [] { return false; });
    std::printf("in time: %d\n", came);
    lock.unlock();

    auto answer = std::async(std::launch::async, [] { return 42; });
    std::printf("async: %d\n", answer.get());
    auto failure = std::async(std::launch::async, []() -> int { throw std::logic_error("carried"); });
    try {
        static_cast<void>(failure.get());
    } catch (const std::logic_error &error) {
        std::printf("async: %s\n", error.what());
    }

    std::once_flag flag;
    std::atomic<int> calls = 0;
    std::vector<std::thread> callers;
    for (int i = 0; i < 4; i++) {
        callers.emplace_back([&] { std::call_once(flag, [&] { calls++; }); });
    }
    for (auto &caller : callers) {
        caller.join();
    }
    std::printf("once: %d\n", calls.load());

    std::shared_mutex shared;
    std::shared_lock reads(shared);
    std::thread([&] {
        std::printf("shared: %d, exclusive: %d\n", shared.try_lock_shared(), shared.try_lock());
        shared.unlock_shared();
    }).join();

    auto start = std::chrono::steady_clock::now();
    std::this_thread::sleep_for(20ms);
    std::printf("slept: %d\n", std::chrono::steady_clock::now() - start >= 20ms);
    return 0;
}
