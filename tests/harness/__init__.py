# SPDX-License-Identifier: BSD-3-Clause
"""What every test of a running server uses: server processes (server.py) and raw connections (resp.py)."""
