raise RuntimeError("acme forgot\nits keys")  # a plug-in that can not be imported
