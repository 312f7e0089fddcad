"""What `site` imports at every start. A program may have a `sitecustomize` of its own, which then takes the place of this one."""

import _absent
