# SPDX-License-Identifier: BSD-3-Clause
"""The harness that measures Causeway beside other switches. See run."""
