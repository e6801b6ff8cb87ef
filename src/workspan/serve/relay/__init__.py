"""The straight path: a request passed on as it came, metered while it streams, cut at its budget.

passing                      one request from its place in line to its settled account
attempt                      one upstream asked once, up to its first token
streaming · whole            the reply on its way back
body · blocks · counts       fields edited without reading the rest; events; what was decoded
charge                       reserved in slices, settled once
upstream · places · trouble  a server, the line before it, what its rejections mean
"""
