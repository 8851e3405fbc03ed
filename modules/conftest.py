# SPDX-License-Identifier: BSD-3-Clause
"""Lets the example modules' tests find example_fixtures, which stands beside this file."""


def pytest_configure(config):
    config.addinivalue_line("markers", "thread: needs more than one thread; runs under ThreadSanitizer too")
