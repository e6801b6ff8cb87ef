"""The batch lane: files of requests, answered in the background, behind whoever waits.

``records`` is what the store keeps and `store` how; `lines` reads a file of requests, `results`
writes what became of them; `running` answers them, each as if its key had asked, and `lane` is the
task of a worker that takes batches up.
"""
